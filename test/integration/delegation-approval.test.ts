// With delegation.approve, the signer approves its own CertificateRequests, with the permissions of the chart and past
// the webhook of cert-manager. No approver runs here.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DelegatedWorld } from '../support/issuers/delegated-world.ts';
import { acmeSpec } from '../support/issuers/issuer-specs.ts';
import { waitUntilIssued } from '../support/requests.ts';

const NAMESPACE = 'countersign';
const ISSUED_MS = 60_000;
const CONTROLLERS = ['issuers', 'clusterissuers', 'orders', 'challenges', 'certificaterequests-issuer-acme'];

let world: DelegatedWorld;
before(async () => {
  world = await DelegatedWorld.start({ approves: true });
  await world.certManager.start(CONTROLLERS);
});
after(() => world?.stop());

test('without an approver in the cluster, the signer approves its CertificateRequests of both kinds of issuers', async () => {
  const { cluster, pebble } = world;
  const namespace = await cluster.createNamespace('sandbox');
  for (const place of [{ namespace, name: 'acme' }, { name: 'acme' }]) {
    const domain = `${place.namespace ?? 'cluster'}.example`;
    await world.createSecrets(place.namespace ?? NAMESPACE, [domain]);
    const signerName = await cluster.createIssuer(place, acmeSpec(pebble));
    await cluster.whenReady(place, ISSUED_MS);
    const name = `approved-${place.namespace ?? 'cluster'}`;
    await world.request(domain, { name, signerName });
    await waitUntilIssued(cluster, name, ISSUED_MS);
    const [request] = await world.certificateRequestsOf(name, place.namespace ?? NAMESPACE);
    const approval = request?.status?.conditions?.find(({ type }) => type === 'Approved');
    assert.equal(approval?.reason, 'countersign.io');
  }
});
