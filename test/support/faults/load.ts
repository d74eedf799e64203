// Creates and approves CSRs in large numbers, and counts the outcomes. Does not evaluate them.

import { X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../cluster.ts';
import { approve, CSRS, type CsrObject, chainOf, createCsr, failureOf, getCsr } from '../requests.ts';

const PARALLEL = 8;
/** The time until a Lease expires, plus the work itself on a busy machine. */
const SIGNED_WITHIN_MS = 40_000;
/** How often a CSR is polled for its certificate. Polling more often would distort the measurement. */
const POLL_MS = 4;

export function namesOf(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
}

/** A few at a time, as with many users. */
export async function forEach(items: readonly string[], work: (item: string) => Promise<unknown>): Promise<void> {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}

export function createAll(cluster: Cluster, names: readonly string[], signerName: string): Promise<void> {
  return forEach(names, name => createCsr(cluster, { name, signerName }));
}

export function approveAll(cluster: Cluster, names: readonly string[]): Promise<void> {
  return forEach(names, name => approve(cluster, name));
}

export async function listCsrs(cluster: Cluster, names: readonly string[]): Promise<readonly CsrObject[]> {
  const { items } = await cluster.api.get<{ items: CsrObject[] }>(CSRS);
  const wanted = new Set(names);
  return items.filter(({ metadata }) => wanted.has(metadata.name));
}

/** Returns the certificates by the names of their CSRs. */
export async function certificatesOf(cluster: Cluster, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const signed = (await listCsrs(cluster, names)).filter(({ status }) => status?.certificate);
  return new Map(signed.map(csr => [csr.metadata.name, chainOf(csr)]));
}

/** Resolves with the issued CSRs once there are `count` of them. */
export function whenSigned(cluster: Cluster, names: readonly string[], count = names.length): Promise<CsrObject[]> {
  const look = async () => {
    const signed = (await listCsrs(cluster, names)).filter(({ status }) => status?.certificate);
    return signed.length >= count ? signed : undefined;
  };
  return cluster.eventually(`${count} of ${names[0]} and its siblings are signed`, look, SIGNED_WITHIN_MS);
}

export interface Outcome {
  readonly signed: number;
  readonly failed: number;
  readonly serials: number;
  /** From the call until all are signed or the timeout. */
  readonly seconds: number;
}

/** Waits until all CSRs are signed or have failed, or until the timeout. */
export async function settle(cluster: Cluster, names: readonly string[], withinMs: number): Promise<Outcome> {
  const start = performance.now();
  const look = async () => {
    const csrs = await listCsrs(cluster, names);
    const isOver = csrs.every(csr => csr.status?.certificate || failureOf(csr));
    return isOver || performance.now() - start > withinMs ? csrs : undefined;
  };
  const csrs = await cluster.eventually('the CSRs settle', look, withinMs + 10_000);
  const signed = csrs.filter(({ status }) => status?.certificate);
  return {
    signed: signed.length,
    failed: csrs.filter(failureOf).length,
    serials: new Set(signed.map(csr => new X509Certificate(chainOf(csr)).serialNumber)).size,
    seconds: Math.round((performance.now() - start) / 100) / 10,
  };
}

/**
 * Issues one CSR after the other until `isEnough` returns true. Returns the milliseconds from approval to certificate.
 */
export async function measureLatency(
  cluster: Cluster,
  { prefix, signerName }: { readonly prefix: string; readonly signerName: string },
  isEnough: (measured: number) => boolean,
): Promise<readonly number[]> {
  const latencies: number[] = [];
  while (!isEnough(latencies.length)) {
    const name = `${prefix}-${latencies.length}`;
    await createCsr(cluster, { name, signerName });
    const start = performance.now();
    await approve(cluster, name);
    while ((await getCsr(cluster, name)).status?.certificate === undefined) {
      if (performance.now() - start > 30_000) throw new Error(`${name} has no certificate after 30 s`);
      await sleep(POLL_MS);
    }
    latencies.push(performance.now() - start);
  }
  return latencies;
}
