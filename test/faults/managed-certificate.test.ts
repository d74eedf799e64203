// Damages the Secret of the webhook's CA while CSRs are created, restarts one of two replicas after each damage, and
// checks the API server's responses and the log. Then revokes the CA as described in docs/install.md.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { freePort } from '../support/control-plane/loopback.ts';
import { Balancer, type Replica } from '../support/faults/balancer.ts';
import { CA_DAMAGES, type CaDamage, type SecretData } from '../support/faults/ca-damage.ts';
import { Creations } from '../support/faults/creations.ts';
import { report } from '../support/faults/figures.ts';
import type { RunningService } from '../support/service-process.ts';

const SECRETS = '/api/v1/namespaces/countersign/secrets';
const SECRET = `${SECRETS}/countersign-webhook-ca`;
const CONFIGURATION = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/countersign-webhook';

/** The replicas check the Secret every 5 s. */
const CHECK_INTERVAL_MS = 5_500;

interface Secret {
  readonly data?: SecretData;
}

let cluster: Cluster;
let balancer: Balancer;
let creations: Creations;
const logPaths: string[] = [];
let replicas: readonly (Replica & { readonly service: RunningService })[] = [];

before(async () => {
  balancer = await Balancer.start();
  cluster = await startCluster({ signers: 0, managedWebhookUrl: `${balancer.url}/validate` });
  await Promise.all([startReplica(), startReplica()]);
  creations = new Creations(cluster, balancer);
  await cluster.eventually('a CSR is admitted', () => creations.isAdmitted());
});
after(async () => {
  await cluster?.stop();
  await balancer?.stop();
});

async function startReplica(): Promise<void> {
  const port = await freePort();
  const flags = [`--address=127.0.0.1:${port}`, '--drain-delay=2s'];
  const service = await cluster.installation.start('webhook', flags);
  logPaths.push(service.child.logPath);
  replicas = [...replicas, { port, url: service.url, service }];
  balancer.replicas = replicas;
}

async function stopReplica(): Promise<void> {
  const [oldest] = replicas;
  await oldest?.service.child.stop(10_000);
  replicas = replicas.slice(1);
  balancer.replicas = replicas;
}

async function damage({ secret }: CaDamage): Promise<void> {
  const { data = {} } = await cluster.api.get<Secret>(SECRET);
  const damaged = secret(data);
  const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'countersign-webhook-ca' }, ...damaged };
  const isReplaced = damaged === undefined || 'type' in damaged;
  if (isReplaced) await cluster.api.remove(SECRET);
  if (damaged === undefined) return;
  if (isReplaced) await cluster.api.create(SECRETS, object);
  else await cluster.api.do({ method: 'PUT', path: SECRET, body: object });
}

/** Follows the instructions in the log. */
async function replaceSecret(): Promise<void> {
  await cluster.kubectl(['delete', 'secret', '-n', 'countersign', 'countersign-webhook-ca', '--ignore-not-found']);
  await upgrade();
}

async function upgrade(...flags: string[]): Promise<void> {
  const { code, stderr } = await cluster.controlPlane.helm([...cluster.installation.helmCommand, ...flags]);
  assert.equal(code, 0, stderr);
}

/** Returns the log lines of all replicas since the given time, except those about admissions. */
function linesSince(time: Date): string {
  const lines = logPaths.flatMap(path => readFileSync(path, 'utf8').trimEnd().split('\n'));
  const read = lines.map(line => JSON.parse(line) as { readonly time: string; readonly msg: string });
  const relevant = read.filter(({ time: at, msg }) => new Date(at) >= time && msg !== 'admission');
  return relevant.map(line => JSON.stringify(line)).join('\n');
}

async function waitUntilShared(): Promise<void> {
  const isFilled = async () => ((await cluster.api.get<Secret>(SECRET)).data?.['ca.key'] ? true : undefined);
  await cluster.eventually('the Secret holds a CA', isFilled);
}

for (const each of CA_DAMAGES) {
  test(`a replica starts and logs the problem while the Secret of the CA ${each.name}`, async () => {
    const start = new Date();
    await creations.during(async () => {
      await damage(each);
      await Promise.all([sleep(CHECK_INTERVAL_MS), stopReplica().then(startReplica)]);
      assert.match(linesSince(start), each.message);
      if (each.needsHelp) await replaceSecret();
      await waitUntilShared();
    });
  });
}

test('no CSR creation is refused because of the damaged Secret', t => {
  const { made, refused, cut, seconds, texts } = creations;
  const figure = `${refused} of ${made} refused${refused === 0 ? '' : `, for at most ${seconds} s`}`;
  assert.equal(CA_DAMAGES.length, 13);
  for (const text of texts) t.diagnostic(text);
  // A TCP connection may reach a replica in the moment of its exit, whatever its Secret holds.
  t.diagnostic(`${cut} requests were cut off by a restart`);
  report(t, 'managedCertificate', figure, refused === 0 && cut <= 1);
});

test('a revoked CA is no longer trusted, and CSRs are admitted again', async () => {
  const { data: revoked = {} } = await cluster.api.get<Secret>(SECRET);
  await stopReplica();
  await stopReplica();
  await cluster.kubectl(['delete', 'secret', '-n', 'countersign', 'countersign-webhook-ca']);
  const remove = '[{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}]';
  await cluster.kubectl([
    'patch',
    'validatingwebhookconfiguration',
    'countersign-webhook',
    '--type=json',
    '-p',
    remove,
  ]);
  await upgrade();
  await Promise.all([startReplica(), startReplica()]);
  await cluster.eventually('a CSR is admitted', () => creations.isAdmitted());
  const { webhooks } = await cluster.api.get<{ webhooks: { clientConfig: { caBundle: string } }[] }>(CONFIGURATION);
  const bundle = Buffer.from(webhooks[0]?.clientConfig.caBundle ?? '', 'base64').toString();
  assert.equal(bundle.match(/BEGIN CERTIFICATE/g)?.length, 1);
  assert.notEqual(Buffer.from(bundle).toString('base64'), revoked['ca.crt']);
});
