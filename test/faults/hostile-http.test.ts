// Sends malicious HTTP and TLS to the webhook of a running cluster. Each request must be answered or closed, and the
// webhook must continue to serve the API server.

import { after, before, test } from 'node:test';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { report } from '../support/faults/figures.ts';
import { sendHostile } from '../support/faults/hostile-caller.ts';
import { HOSTILE_SHAPES } from '../support/faults/hostile-shapes.ts';
import { tryCreateCsr } from '../support/requests.ts';

/** The longest timeout of the webhook is 10 s. */
const WITHIN_MS = 15_000;

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
});
after(() => cluster?.stop());

test('each malicious request is answered or closed, and the next CSR is created', { timeout: 60_000 }, async t => {
  const port = Number(new URL(cluster.installation.webhookUrl).port);
  const [webhook] = cluster.installation.running('webhook');
  const broken: string[] = [];
  const tryShape = async (shape: (typeof HOSTILE_SHAPES)[number], at: number) => {
    const answer = await sendHostile(port, shape, WITHIN_MS).catch(String);
    if (!shape.answers.some(allowed => allowed === answer)) broken.push(`${shape.name}: ${answer}`);
    const { status, body } = await tryCreateCsr(cluster, {
      name: `after-${at}`,
      signerName: 'issuers.cert-manager.io/sandbox.ca',
    });
    if (status !== 201) broken.push(`the CSR after ${shape.name}: ${status} ${body.message}`);
  };
  await Promise.all(HOSTILE_SHAPES.map(tryShape));
  const isAlive = cluster.installation.running('webhook')[0] === webhook;
  for (const line of broken) t.diagnostic(line);
  const figure = `${HOSTILE_SHAPES.length} variants, ${broken.length} failed${isAlive ? '' : ', the webhook exited'}`;
  report(t, 'hostileHttp', figure, broken.length === 0 && isAlive);
});
