// A network between the signers and the API server that cuts, delays, breaks off, swallows and forgets: the signers go on by themselves.

import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../support/cluster.ts';
import { FaultProxy } from '../support/faults/fault-proxy.ts';
import { report } from '../support/faults/figures.ts';
import { approveAll, createAll, namesOf, settle } from '../support/faults/load.ts';
import { startReplicas } from '../support/faults/replicas.ts';
import type { PromiseId } from './promises.ts';

const REQUESTS = 40;

let cluster: Cluster;
let proxy: FaultProxy;
let signerName: string;
before(async () => {
  const signerUrl = async (url: string) => {
    proxy ??= await FaultProxy.start(url);
    return proxy.url;
  };
  ({ cluster, signerName } = await startReplicas({ signerUrl }));
});
after(async () => {
  await cluster?.stop();
  await proxy?.stop();
});

interface Fault {
  readonly name: string;
  readonly promise: PromiseId;
  readonly withinMs: number;
  readonly harm: () => Promise<void>;
}

const FAULTS: readonly Fault[] = [
  {
    name: 'CSRs are signed although every connection is cut twenty times',
    promise: 'cut',
    withinMs: 20_000,
    harm: async () => {
      for (let left = 20; left > 0; left--) {
        proxy.cut();
        await sleep(100);
      }
    },
  },
  {
    name: 'CSRs are signed while every answer is late',
    promise: 'slow',
    withinMs: 20_000,
    harm: async () => void (proxy.delayMs = 100),
  },
  {
    name: 'CSRs are signed after answers that broke off',
    promise: 'truncated',
    withinMs: 40_000,
    harm: async () => {
      proxy.truncateAfter = 6_000;
      proxy.cut();
      await sleep(5_000);
      proxy.heal();
    },
  },
  {
    name: 'CSRs are signed after connections that were half open',
    promise: 'halfOpen',
    withinMs: 60_000,
    harm: async () => {
      proxy.mode = 'freeze';
      await sleep(20_000);
      proxy.heal();
    },
  },
  {
    name: 'CSRs are signed although every connection was forgotten',
    promise: 'forgotten',
    withinMs: 20_000,
    harm: async () => proxy.forget(),
  },
];

for (const { name, promise, withinMs, harm } of FAULTS) {
  test(name, { timeout: 150_000 }, async t => {
    const names = namesOf(promise.toLowerCase(), REQUESTS);
    proxy.heal();
    await createAll(cluster, names, signerName);
    await Promise.all([harm(), approveAll(cluster, names)]);
    const { signed, serials, seconds } = await settle(cluster, names, withinMs);
    const figure = `${signed} of ${REQUESTS} signed, the last after ${seconds} s`;
    report(t, promise, figure, signed === REQUESTS && serials === REQUESTS && seconds <= withinMs / 1000);
  });
}
