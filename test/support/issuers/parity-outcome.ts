// How a CSR ended, in a form in which two signers can be compared: without the names of CSRs and of the objects made
// for them.

import 'reflect-metadata';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { X509Certificate } from '@peculiar/x509';
import { splitPem } from '../certificate-checks.ts';
import type { Cluster } from '../cluster.ts';
import { CSRS, type CsrObject, chainOf, failureOf } from '../requests.ts';

export interface Outcome {
  readonly result: 'issued' | 'failed' | 'waiting';
  /** As `type reason: message`. */
  readonly event: string;
  /** The message of the condition Failed, where it differs from that of the event. */
  readonly condition?: string;
  readonly certificate?: IssuedFields;
}

interface IssuedFields {
  readonly subject: string;
  /** DER in hexadecimal, by name. */
  readonly extensions: Readonly<Record<string, string>>;
  readonly minutes: number;
  /** The subject of each certificate after the leaf. */
  readonly chain: readonly string[];
}

export interface Expectation {
  /** The name of the case. */
  readonly name: string;
  /** The beginning of the event that shows that the CSR waits, without its type; undefined if it has to end. */
  readonly waits: string | undefined;
}

interface EventObject {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly involvedObject: { readonly uid?: string };
}

/** cert-manager's back-off for a pending certificate of a Venafi issuer is the longest. */
const WITHIN_MS = 60_000;
/** Rarely: the servers need the processor. */
const POLL_MS = 300;

/** `wanted`: by the name of the CSR. Returns the outcomes by the name of the case. */
export async function waitForOutcomes(
  cluster: Cluster,
  wanted: ReadonlyMap<string, Expectation>,
): Promise<ReadonlyMap<string, Outcome>> {
  const deadline = performance.now() + WITHIN_MS;
  for (;;) {
    const { items: csrs } = await cluster.api.get<{ items: CsrObject[] }>(CSRS);
    // Events are written after the status: what is not there yet is there the next time.
    const { items } = await cluster.api.get<{ items: EventObject[] }>('/api/v1/namespaces/default/events');
    const events = Map.groupBy(items, ({ involvedObject }) => involvedObject.uid);
    const found = csrs.flatMap(csr => {
      const expected = wanted.get(csr.metadata.name);
      const outcome = expected && findOutcome(csr, events.get(csr.metadata.uid) ?? [], expected.waits);
      return outcome === undefined ? [] : [[expected?.name ?? '', outcome] as const];
    });
    if (found.length === wanted.size || performance.now() > deadline) return new Map(found);
    await sleep(POLL_MS);
  }
}

function findOutcome(csr: CsrObject, events: readonly EventObject[], waits: string | undefined): Outcome | undefined {
  const failure = failureOf(csr);
  const isIssued = csr.status?.certificate !== undefined;
  const start = failure?.reason ?? (isIssued ? 'CertificateIssued' : waits);
  const { name } = csr.metadata;
  const event = start === undefined ? undefined : findEvent(events, name, start);
  if (event === undefined) return undefined;
  if (isIssued) return { result: 'issued', event, certificate: fieldsOf(chainOf(csr)) };
  if (failure === undefined) return { result: 'waiting', event };
  const condition = hideNames(failure.message, name);
  return { result: 'failed', event, ...(!event.endsWith(`: ${condition}`) && { condition }) };
}

function findEvent(events: readonly EventObject[], csrName: string, start: string): string | undefined {
  const texts = events.map(({ type, reason, message }) => hideNames(`${type} ${reason}: ${message}`, csrName));
  return texts.find(text => text.startsWith(`Normal ${start}`) || text.startsWith(`Warning ${start}`));
}

/** Names of Orders and CertificateRequests begin with that of the CSR, and end with hashes. */
function hideNames(text: string, csrName: string): string {
  return text
    .replaceAll(new RegExp(`${csrName}(-[0-9a-f]+)+`, 'g'), '<object>')
    .replaceAll(csrName, '<csr>')
    .replaceAll(/127\.0\.0\.1:\d+|localhost:\d+/g, '<server>');
}

const EXTENSIONS = {
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  extKeyUsage: '2.5.29.37',
};

function fieldsOf(chain: string): IssuedFields {
  const [leaf, ...rest] = splitPem(chain).map(pem => new X509Certificate(pem));
  assert.ok(leaf);
  const extensions = Object.entries(EXTENSIONS).flatMap(([name, oid]) => {
    const found = leaf.getExtension(oid);
    return found ? [[name, Buffer.from(found.value).toString('hex')] as const] : [];
  });
  return {
    subject: leaf.subject,
    extensions: Object.fromEntries(extensions),
    minutes: Math.round((leaf.notAfter.getTime() - leaf.notBefore.getTime()) / 60_000),
    chain: rest.map(({ subject }) => subject),
  };
}
