// Requests as many users send them: created, approved and waited for, with the time from the approval to the certificate.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../cluster.ts';
import { approve, CSRS, type CsrObject, createCsr, getCsr, whenIssued } from '../requests.ts';

const PARALLEL = 12;

export function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
}

/** A few at a time, as many users would. */
export async function forEach(items: readonly string[], work: (item: string) => Promise<unknown>): Promise<void> {
  const rest = [...items];
  const worker = async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}

/** Milliseconds from the approval to the certificate, of one request after the other. */
export async function measure(cluster: Cluster, prefix: string, signerName: string, count: number): Promise<number[]> {
  const took: number[] = [];
  for (const name of names(prefix, count)) {
    await createCsr(cluster, { name, signerName });
    const start = performance.now();
    await approve(cluster, name);
    while ((await getCsr(cluster, name)).status?.certificate === undefined) {
      if (performance.now() - start > 60_000) throw new Error(`${name} has no certificate after 60 s`);
      await sleep(2);
    }
    took.push(performance.now() - start);
  }
  return took;
}

export async function createAndApprove(cluster: Cluster, name: string, signerName: string): Promise<void> {
  await createCsr(cluster, { name, signerName });
  await approve(cluster, name);
}

/** Milliseconds until the request has its certificate. */
export async function untilIssued(cluster: Cluster, name: string, withinMs: number): Promise<number> {
  const start = performance.now();
  await whenIssued(cluster, name, withinMs);
  return performance.now() - start;
}

/** Those of the requests that have a certificate. */
export async function listSigned(cluster: Cluster, prefix: string): Promise<CsrObject[]> {
  const { items } = await cluster.api.get<{ items: CsrObject[] }>(CSRS);
  return items.filter(({ metadata, status }) => metadata.name.startsWith(`${prefix}-`) && status?.certificate);
}
