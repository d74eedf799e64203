// A leader that stands still (SIGSTOP) for longer than its Lease, in the midst of slow signatures, and then goes on:
// what it did while another replica led. It never judges what it counts.

import { generateKeyPairSync } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildCertificate } from '../certificate-builder.ts';
import type { Cluster, KeyPairFiles, KubeObject } from '../cluster.ts';
import type { CsrObject } from '../requests.ts';
import { until } from '../until.ts';
import { countIssued, type LogLine, linesOf, readLease, sha256Of, waitForLeader, waitForTakeover } from './leaders.ts';
import { approveAll, createAll, namesOf, whenSigned } from './load.ts';

const REQUESTS = 80;
/** So many are signed when the leader is stopped, and it is busy with the rest. */
const SIGNED_BEFORE = 10;
/** The signer's own errands after it went on: the end of its term, and what it logs of that. */
const AFTERMATH_MS = 1_000;

export interface Pause {
  /** Certificates that were stored after the Lease was another's. */
  readonly left: number;
  /** Those of them that the paused replica stored. */
  readonly written: number;
  /** Patches that it sent to CSRs which the other replica had signed: they were refused. */
  readonly refused: number;
  /** Signatures that it began. */
  readonly signed: number;
}

/**
 * Whether the paused replica did nothing but complete one step. JavaScript does one thing at a time, so one request can
 * be past the check of the clock when the process stops: before its signature, or before its bytes are in the socket.
 */
export function isAway({ written, refused, signed }: Pause): boolean {
  return written + refused + signed <= 1;
}

/** The slower the signature, the more of them are under way when the leader is stopped. */
export function createSlowRoot(): KeyPairFiles {
  const keys = generateKeyPairSync('rsa', { modulusLength: 4096 });
  const certificate = buildCertificate({ name: 'rsa root', ...keys });
  return { certificate, key: keys.privateKey.export({ format: 'pem', type: 'pkcs8' }) };
}

/** `prefix` names the requests. There must be another replica. */
export async function pauseLeader(cluster: Cluster, signerName: string, prefix: string): Promise<Pause> {
  const names = namesOf(prefix, REQUESTS);
  await createAll(cluster, names, signerName);
  const leader = await waitForLeader(cluster);
  const { holderIdentity } = (await readLease(cluster)).spec;
  const approvals = approveAll(cluster, names);
  await until(() => countIssued(leader, names) >= SIGNED_BEFORE);
  process.kill(leader.child.pid!, 'SIGSTOP');
  const taken = await waitForTakeover(cluster, holderIdentity);
  const continued = new Date().toISOString();
  process.kill(leader.child.pid!, 'SIGCONT');
  await approvals;
  const signed = await whenSigned(cluster, names);
  await sleep(AFTERMATH_MS);
  const late = signed.filter(csr => versionOf(csr) > versionOf(taken));
  return { left: late.length, ...judge(untilNextTerm(linesOf(leader), continued), late, continued) };
}

function judge(lines: readonly LogLine[], late: readonly CsrObject[], continued: string): Omit<Pause, 'left'> {
  const own = new Set(lines.map(({ sha256 }) => sha256));
  const after = lines.filter(({ time }) => time >= continued);
  return {
    written: late.filter(csr => own.has(sha256Of(csr))).length,
    refused: after.filter(({ err }) => err?.code === 'conflict').length,
    signed: after.filter(({ msg }) => msg === 'signing certificate').length,
  };
}

function versionOf({ metadata }: KubeObject): number {
  return Number(metadata.resourceVersion);
}

/** Up to where it leads again: what it does from there on, reports for the other replica included, is its own right. */
function untilNextTerm(lines: readonly LogLine[], continued: string): readonly LogLine[] {
  const again = lines.findIndex(({ time, leading }) => time >= continued && leading === true);
  return again < 0 ? lines : lines.slice(0, again);
}
