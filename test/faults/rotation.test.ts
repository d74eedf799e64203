// Replaces a CA repeatedly while CSRs are approved. No certificate may mix two CAs.

import { X509Certificate } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildCertificate, createHolder, type Holder } from '../support/certificate-builder.ts';
import { type Cluster, secretData, startCluster } from '../support/cluster.ts';
import { report } from '../support/faults/figures.ts';
import { approveAll, createAll, listCsrs, namesOf, settle } from '../support/faults/load.ts';
import { type CsrObject, chainOf } from '../support/requests.ts';

const REQUESTS = 500;
const ROTATIONS = 25;

let cluster: Cluster;
let signerName: string;
before(async () => {
  cluster = await startCluster({ signers: 2 });
  signerName = await cluster.createCaIssuer({ name: 'root' }, pairOf(createHolder('root')));
  await cluster.whenReady({ name: 'root' });
});
after(() => cluster?.stop());

function pairOf(holder: Holder) {
  return { certificate: buildCertificate(holder), key: holder.privateKey.export({ format: 'pem', type: 'pkcs8' }) };
}

function verifies(csr: CsrObject): boolean {
  const ca = csr.metadata.annotations?.['experimental.cert-manager.io/ca'] ?? '';
  return new X509Certificate(chainOf(csr)).verify(new X509Certificate(Buffer.from(ca, 'base64')).publicKey);
}

test('every certificate matches its CA while the CA is replaced under load', { timeout: 180_000 }, async t => {
  const names = namesOf('rotated', REQUESTS);
  await createAll(cluster, names, signerName);
  // Approves a part before each replacement. Approved all at once, the CSRs would be signed before the second CA
  // is read.
  for (let rotation = 0; rotation < ROTATIONS; rotation++) {
    const approvals = approveAll(
      cluster,
      names.filter((_, at) => at % ROTATIONS === rotation),
    );
    const stringData = secretData(pairOf(createHolder(`root ${rotation}`)));
    await cluster.api.patch('/api/v1/namespaces/countersign/secrets/root', { stringData });
    await Promise.all([approvals, sleep(500)]);
  }
  const { signed } = await settle(cluster, names, 30_000);
  const csrs = await listCsrs(cluster, names);
  const right = csrs.filter(csr => csr.status?.certificate && verifies(csr)).length;
  const authorities = new Set(csrs.map(csr => csr.metadata.annotations?.['experimental.cert-manager.io/ca'])).size;
  const figure = `${right} of ${REQUESTS} verify, under ${authorities} CAs`;
  report(t, 'rotation', figure, signed === REQUESTS && right === REQUESTS && authorities > ROTATIONS / 3);
});
