// How a CSR ended, in a form in which two signers can be compared: without the names of CSRs and of the objects made
// for them.

import { X509Certificate } from 'node:crypto';
import { openssl, splitPem } from '../certificate-checks.ts';
import type { Cluster } from '../cluster.ts';
import { type CsrObject, chainOf, failureOf, getCsr } from '../requests.ts';

export interface Outcome {
  readonly result: 'issued' | 'failed' | 'waiting';
  /** As `type reason: message`. */
  readonly event: string;
  /** The message of the condition Failed, where it differs from that of the event. */
  readonly condition?: string;
  readonly certificate?: IssuedFields;
}

interface IssuedFields {
  /** Subject and extensions, as printed by openssl. */
  readonly text: string;
  readonly minutes: number;
  /** The subject of each certificate after the leaf. */
  readonly chain: readonly string[];
}

interface EventList {
  readonly items: readonly { readonly type: string; readonly reason: string; readonly message: string }[];
}

/** cert-manager's back-off for a pending certificate of a Venafi issuer is the longest. */
const WITHIN_MS = 60_000;

/** `waits`: the beginning of the event that shows that the CSR waits, without its type; undefined if it has to end. */
export async function waitForOutcome(cluster: Cluster, { metadata }: CsrObject, waits?: string): Promise<Outcome> {
  const find = async () => findOutcome(cluster, await getCsr(cluster, metadata.name), waits);
  return cluster.eventually(`${metadata.name} has an outcome`, find, WITHIN_MS);
}

async function findOutcome(cluster: Cluster, csr: CsrObject, waits: string | undefined): Promise<Outcome | undefined> {
  const failure = failureOf(csr);
  const isIssued = csr.status?.certificate !== undefined;
  const reason = failure?.reason ?? (isIssued ? 'CertificateIssued' : waits);
  // Events are written after the status.
  const event = reason && (await findEvent(cluster, csr, reason));
  if (!event) return undefined;
  if (isIssued) return { result: 'issued', event, certificate: await fieldsOf(chainOf(csr)) };
  if (failure === undefined) return { result: 'waiting', event };
  const condition = hideNames(failure.message, csr.metadata.name);
  return { result: 'failed', event, ...(!event.endsWith(`: ${condition}`) && { condition }) };
}

async function findEvent(cluster: Cluster, { metadata }: CsrObject, start: string): Promise<string | undefined> {
  const selector = encodeURIComponent(`involvedObject.uid=${metadata.uid}`);
  const { items } = await cluster.api.get<EventList>(`/api/v1/namespaces/default/events?fieldSelector=${selector}`);
  const texts = items.map(({ type, reason, message }) => hideNames(`${type} ${reason}: ${message}`, metadata.name));
  return texts.find(text => text.startsWith(`Normal ${start}`) || text.startsWith(`Warning ${start}`));
}

/** Names of Orders and CertificateRequests begin with that of the CSR, and end with hashes. */
function hideNames(text: string, csrName: string): string {
  return text
    .replaceAll(new RegExp(`${csrName}(-[0-9a-f]+)+`, 'g'), '<object>')
    .replaceAll(csrName, '<csr>')
    .replaceAll(/127\.0\.0\.1:\d+|localhost:\d+/g, '<server>');
}

async function fieldsOf(chain: string): Promise<IssuedFields> {
  const [leaf = '', ...rest] = splitPem(chain);
  const extensions = 'subjectAltName,basicConstraints,keyUsage,extendedKeyUsage';
  const text = await openssl(['x509', '-in', 'leaf', '-noout', '-subject', '-ext', extensions], { leaf });
  const { validFromDate, validToDate } = new X509Certificate(leaf);
  return {
    text: text.replaceAll(/ *\n */g, '; ').trim(),
    minutes: Math.round((validToDate.getTime() - validFromDate.getTime()) / 60_000),
    chain: rest.map(pem => new X509Certificate(pem).subject),
  };
}
