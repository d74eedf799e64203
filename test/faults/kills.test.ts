// Signers that are killed again and again, and a CA that is replaced, while requests come.

import { X509Certificate } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildCertificate, createHolder, type Holder } from '../support/certificate-builder.ts';
import { type Cluster, secretData, startCluster } from '../support/cluster.ts';
import { report } from '../support/faults/figures.ts';
import { createAndApprove, forEach, listSigned, names } from '../support/faults/load.ts';
import { chainOf, whenIssued } from '../support/requests.ts';

const KILLS = 10;
const REQUESTS = 500;
const ROTATIONS = 25;
const RECOVERY_MS = 60_000;

let cluster: Cluster;
let signerName: string;
before(async () => {
  cluster = await startCluster();
  await cluster.installation.start('signer');
  signerName = await cluster.createCaIssuer({ name: 'root' }, pairOf(createHolder('root')));
  await cluster.whenReady({ name: 'root' });
});
after(() => cluster?.stop());

function pairOf(holder: Holder) {
  const key = holder.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  return { certificate: buildCertificate(holder), key };
}

test('signers that are killed ten times lose and double nothing', async t => {
  const all = names('killed', REQUESTS);
  const asking = forEach(all, async name => {
    await createAndApprove(cluster, name, signerName);
    await sleep(100);
  });
  for (let kill = 0; kill < KILLS; kill += 1) {
    const [oldest] = cluster.installation.running('signer');
    await cluster.installation.start('signer');
    oldest?.child.pid && process.kill(oldest.child.pid, 'SIGKILL');
    await oldest?.child.ended;
  }
  await asking;
  await forEach(all, name => whenIssued(cluster, name, RECOVERY_MS));
  const signed = await listSigned(cluster, 'killed');
  const serials = new Set(signed.map(csr => new X509Certificate(chainOf(csr)).serialNumber));
  report(t, 'kill-storm', `${serials.size} of ${REQUESTS} with ${KILLS} kills`, serials.size === REQUESTS);
});

test('a CA that is replaced under load signs nothing wrong', async t => {
  const all = names('rotated', 300);
  const asking = forEach(all, async name => {
    await createAndApprove(cluster, name, signerName);
    await sleep(100);
  });
  for (let rotation = 0; rotation < ROTATIONS; rotation += 1) {
    const stringData = secretData(pairOf(createHolder(`root ${rotation}`)));
    await cluster.api.patch('/api/v1/namespaces/countersign/secrets/root', { stringData });
    await sleep(100);
  }
  await asking;
  await forEach(all, name => whenIssued(cluster, name, RECOVERY_MS));
  const isRight = (csr: Awaited<ReturnType<typeof listSigned>>[number]) => {
    const leaf = new X509Certificate(chainOf(csr));
    const ca = csr.metadata.annotations?.['experimental.cert-manager.io/ca'] ?? '';
    return leaf.verify(new X509Certificate(Buffer.from(ca, 'base64')).publicKey);
  };
  const right = (await listSigned(cluster, 'rotated')).filter(isRight).length;
  report(t, 'rotation', `${right} of 300 with ${ROTATIONS} replacements`, right === 300);
});
