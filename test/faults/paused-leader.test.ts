// Pauses the leader for longer than its Lease, as in a frozen VM or on a suspended node, until another replica is the
// leader, and then resumes it.

import { after, before, test } from 'node:test';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { report } from '../support/faults/figures.ts';
import { createSlowRoot, isAway, type Pause, pauseLeader } from '../support/faults/paused-leader.ts';

const PAUSES = 5;

let cluster: Cluster;
let signerName: string;
before(async () => {
  cluster = await startCluster({ signers: 2, signerFlags: ['--lease-duration=5s'] });
  signerName = await cluster.createCaIssuer({ name: 'root' }, createSlowRoot());
  await cluster.whenReady({ name: 'root' });
});
after(() => cluster?.stop());

test('a leader that was paused for longer than its Lease does not interfere with the next leader', {
  timeout: 240_000,
}, async t => {
  const pauses: Pause[] = [];
  for (let turn = 0; turn < PAUSES; turn++) pauses.push(await pauseLeader(cluster, signerName, `paused-${turn}`));
  const sum = (key: keyof Pause) => pauses.reduce((total, pause) => total + pause[key], 0);
  const figure = `${sum('written')} of ${sum('left')} written by the paused leader, ${sum('signed')} signed by it`;
  report(t, 'pausedLeader', figure, sum('left') > 0 && pauses.every(isAway));
});
