// Simulates network faults between the signers and the API server: resets, delays, truncated responses, dropped packets
// and lost connection state. The signers must recover without help.

import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { report } from '../support/faults/figures.ts';
import { approveAll, createAll, namesOf, settle } from '../support/faults/load.ts';
import { type ProxiedReplicas, startProxiedReplicas } from '../support/faults/replicas.ts';
import type { PromiseId } from './promises.ts';

const REQUESTS = 40;

let replicas: ProxiedReplicas;
before(async () => {
  replicas = await startProxiedReplicas();
});
after(() => replicas?.stop());

interface Fault {
  readonly name: string;
  readonly promise: PromiseId;
  readonly withinMs: number;
  readonly harm: () => Promise<void>;
}

const FAULTS: readonly Fault[] = [
  {
    name: 'CSRs are signed although every connection is reset twenty times',
    promise: 'cut',
    withinMs: 20_000,
    harm: async () => {
      for (let left = 20; left > 0; left--) {
        replicas.proxy.cut();
        await sleep(100);
      }
    },
  },
  {
    name: 'CSRs are signed while every response is delayed',
    promise: 'slow',
    withinMs: 20_000,
    harm: async () => void (replicas.proxy.delayMs = 100),
  },
  {
    name: 'CSRs are signed after truncated responses',
    promise: 'truncated',
    withinMs: 40_000,
    harm: async () => {
      replicas.proxy.truncateAfter = 6_000;
      replicas.proxy.cut();
      await sleep(5_000);
      replicas.proxy.heal();
    },
  },
  {
    name: 'CSRs are signed after connections were half open',
    promise: 'halfOpen',
    withinMs: 60_000,
    harm: async () => {
      replicas.proxy.mode = 'freeze';
      await sleep(20_000);
      replicas.proxy.heal();
    },
  },
  {
    name: 'CSRs are signed although a firewall forgot every connection',
    promise: 'forgotten',
    withinMs: 20_000,
    harm: async () => replicas.proxy.forget(),
  },
];

for (const { name, promise, withinMs, harm } of FAULTS) {
  test(name, { timeout: 150_000 }, async t => {
    const names = namesOf(promise.toLowerCase(), REQUESTS);
    replicas.proxy.heal();
    await createAll(replicas.cluster, names, replicas.signerName);
    await Promise.all([harm(), approveAll(replicas.cluster, names)]);
    const { signed, serials, seconds } = await settle(replicas.cluster, names, withinMs);
    const figure = `${signed} of ${REQUESTS} signed, the last after ${seconds} s`;
    report(t, promise, figure, signed === REQUESTS && serials === REQUESTS && seconds <= withinMs / 1000);
  });
}
