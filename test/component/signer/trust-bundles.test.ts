// Trust bundles against a recording client: what is written, when, and what a request waits for.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import { buildIssuer } from '../../support/ca-builder.ts';
import { buildCertificate } from '../../support/certificate-builder.ts';
import { buildCsr } from '../../support/csr-builder.ts';
import { fingerprintOf } from '../../support/trust-anchors.ts';
import { until } from '../../support/until.ts';
import {
  BUNDLE,
  BUNDLES,
  type BundleCluster,
  CREATE,
  NEW,
  NEW_PEM,
  OLD,
  OLD_PEM,
  PATCH,
  secretOf,
  start,
  whenWritten,
} from './bundle-cluster.ts';
import { SECRET } from './controller-harness.ts';

describe('the trust bundle of an issuer', () => {
  test('the trust bundle of an issuer is created by one write, and not written again', async t => {
    const { cluster, lookAgain, metricsOf } = await start(t);
    await whenWritten(cluster, 1);
    lookAgain('4');
    await sleep(50);
    assert.deepEqual(cluster.bundleWrites, [CREATE]);
    assert.equal(cluster.bundle?.spec.trustBundle, OLD_PEM);
    assert.deepEqual(await metricsOf('countersign_trust_bundle_writes_total'), [
      'countersign_trust_bundle_writes_total{result="created"} 1',
    ]);
    assert.deepEqual(await metricsOf('countersign_trust_anchors'), ['countersign_trust_anchors{state="current"} 1']);
    assert.deepEqual(cluster.events, []);
  });

  test('of a former leader is kept without a write', async t => {
    const { cluster: first } = await start(t);
    await whenWritten(first, 1);
    const { cluster } = await start(t, { arrange: each => (each.bundle = first.bundle) });
    await sleep(50);
    assert.deepEqual(cluster.bundleWrites, []);
  });

  test('the trust bundle of an issuer keeps the old root after a rotation, also when another replica does it', async t => {
    const { cluster: first } = await start(t);
    await whenWritten(first, 1);
    const arrange = (each: BundleCluster) => {
      each.bundle = first.bundle;
      each.secret = secretOf(NEW, NEW_PEM, '2');
    };
    const { cluster, metricsOf } = await start(t, { arrange });
    await whenWritten(cluster, 1);
    assert.deepEqual(cluster.bundleWrites, [PATCH]);
    assert.equal(cluster.bundle?.spec.trustBundle, NEW_PEM + OLD_PEM);
    assert.deepEqual(await metricsOf('countersign_trust_anchors'), [
      'countersign_trust_anchors{state="current"} 1',
      'countersign_trust_anchors{state="retired"} 1',
    ]);
  });

  test('the trust bundle of an issuer is repaired by one write when others change it', async t => {
    const { cluster } = await start(t);
    await whenWritten(cluster, 1);
    cluster.change({ kind: 'patch', body: { spec: { trustBundle: NEW_PEM } } });
    await whenWritten(cluster, 2);
    await sleep(50);
    assert.deepEqual(cluster.bundleWrites, [CREATE, PATCH]);
    assert.equal(cluster.bundle?.spec.trustBundle, OLD_PEM);
  });

  test('the trust bundle of an issuer is created again when it is deleted', async t => {
    const { cluster } = await start(t);
    await whenWritten(cluster, 1);
    cluster.change({ kind: 'delete', preconditions: { uid: '', resourceVersion: '' } });
    await whenWritten(cluster, 2);
    assert.deepEqual(cluster.bundleWrites, [CREATE, CREATE]);
  });

  test('the trust bundle of an issuer is kept when its issuer is deleted, with a note since when', async t => {
    const { cluster } = await start(t);
    await whenWritten(cluster, 1);
    cluster.push('issuers', 'DELETED', buildIssuer(), '9');
    await whenWritten(cluster, 2);
    assert.deepEqual(cluster.bundleWrites, [CREATE, PATCH]);
    const { trustBundle } = cluster.bundle!.spec;
    assert.equal(trustBundle, OLD_PEM);
    assert.match(cluster.bundle!.metadata.annotations?.['countersign.io/orphaned-since'] ?? '', /^20\d\d-.*Z$/);
  });

  test('the trust bundle of an issuer is deleted, that very version of it, when its issuer has been gone for long enough', async t => {
    const { cluster: first } = await start(t);
    await whenWritten(first, 1);
    const long = { 'countersign.io/orphaned-since': '2020-01-01T00:00:00Z' };
    first.change({ kind: 'patch', body: { metadata: { annotations: long } } });
    const orphan = first.bundle!;
    const arrange = (each: BundleCluster) => {
      each.bundle = orphan;
      each.lists['issuers'] = [];
    };
    const { cluster } = await start(t, { arrange });
    await whenWritten(cluster, 1);
    const { uid, resourceVersion } = orphan.metadata;
    assert.deepEqual(cluster.writes, [{ verb: 'remove', path: BUNDLE, body: { uid, resourceVersion } }]);
  });

  test('the trust bundle of an issuer is published for annotated issuers alone, where that is asked for', async t => {
    const { cluster } = await start(t, { publish: 'annotated' });
    await sleep(50);
    assert.deepEqual(cluster.bundleWrites, []);
    const { metadata, ...rest } = buildIssuer();
    const annotations = { 'countersign.io/publish-trust-bundle': 'true' };
    cluster.push('issuers', 'MODIFIED', { ...rest, metadata: { ...metadata, annotations } }, '4');
    await whenWritten(cluster, 1);
    assert.deepEqual(cluster.bundleWrites, [CREATE]);
  });

  test('the trust bundle of an issuer is not there for an issuer without a CA of its own', async t => {
    const { cluster } = await start(t, { issuer: buildIssuer({ selfSigned: {} }) });
    await sleep(50);
    assert.deepEqual(cluster.bundleWrites, []);
  });

  test('the trust bundle of an issuer is not there where the API server has no trust bundles, which is no problem', async t => {
    const { cluster, controller } = await start(t, { arrange: each => (each.isServed = false) });
    await sleep(50);
    assert.deepEqual([controller.problems(), cluster.count(BUNDLES)], [[], 0]);
  });
});

describe('an administrator learns by an event on the issuer', () => {
  test('that a bundle cannot be written, and the write is tried again', async t => {
    const refusal = 'user not permitted to attest for signerName "issuers.cert-manager.io/sandbox.my-ca"';
    let isForbidden = true;
    const arrange = (each: BundleCluster) => {
      each.fault = () => {
        if (isForbidden) throw new RetryableError(refusal, { code: 'forbidden' });
      };
    };
    const { cluster, metricsOf } = await start(t, { arrange });
    await until(() => cluster.events.length > 0);
    isForbidden = false;
    await until(() => cluster.bundle !== undefined);
    assert.deepEqual(cluster.events, [
      `Warning TrustBundleNotPublished: Trust bundle not published as it should be: ${refusal}`,
    ]);
    const [created, failed] = await metricsOf('countersign_trust_bundle_writes_total').then(lines => lines.toSorted());
    assert.match(created!, /result="created"} 1$/);
    assert.match(failed!, /result="failed"} \d+$/);
  });

  test('that an intermediate is published, since the Secret has no root', async t => {
    const arrange = (each: BundleCluster) => (each.secret = secretOf(OLD, buildCertificate(OLD, NEW), '1'));
    const { cluster } = await start(t, { arrange });
    await until(() => cluster.events.length > 0);
    assert.match(cluster.events.join('\n'), /^Warning TrustAnchorNotRoot: .*, because the Secret has no root: .*$/);
    assert.equal(cluster.bundleWrites.length, 1);
  });

  test('that a CA without the CA flag is not published', async t => {
    const arrange = (each: BundleCluster) =>
      (each.secret = secretOf(OLD, buildCertificate(OLD, OLD, { version: 'absent' }), '1'));
    const { cluster } = await start(t, { arrange });
    await until(() => cluster.events.length > 0);
    assert.deepEqual(cluster.events, [
      'Warning TrustBundleNotPublished: Trust bundle not published as it should be: no certificate of the CA has the CA flag',
    ]);
    assert.deepEqual(cluster.bundleWrites, []);
  });

  test('that a retired CA has left the bundle', async t => {
    const { cluster: first } = await start(t);
    await whenWritten(first, 1);
    const retired = JSON.stringify({ [fingerprintOf(OLD_PEM)]: '2026-01-02T00:00:00Z' });
    first.change({ kind: 'patch', body: { metadata: { annotations: { 'countersign.io/retired': retired } } } });
    const arrange = (each: BundleCluster) => {
      each.bundle = first.bundle;
      each.secret = secretOf(NEW, NEW_PEM, '2');
    };
    const { cluster } = await start(t, { arrange });
    await until(() => cluster.events.length > 0);
    assert.equal(cluster.bundle?.spec.trustBundle, NEW_PEM);
    assert.deepEqual(cluster.events, [
      `Normal OldCaExpired: Retired CA certificates are no longer in the trust bundle: ${fingerprintOf(OLD_PEM)}`,
    ]);
  });
});

describe('a certificate', () => {
  const statusWrites = (cluster: BundleCluster) =>
    cluster.calls.filter(({ path }) => path.includes('certificatesigningrequests/jane/status'));
  const positionOf = (cluster: BundleCluster, part: string) =>
    cluster.calls.findIndex(({ verb, path }) => verb !== 'get' && path.includes(part));

  test('under a new CA is signed after the bundle has it, and costs no request more than the bundle does', async t => {
    const { cluster } = await start(t);
    await whenWritten(cluster, 1);
    // What was read is good for a second.
    await sleep(1_100);
    cluster.secret = secretOf(NEW, NEW_PEM, '2');
    const before = cluster.calls.length;
    cluster.push('certificatesigningrequests', 'ADDED', buildCsr(), '50');
    await until(() => statusWrites(cluster).length === 1);
    const asked = cluster.calls.slice(before).map(({ verb, path }) => `${verb} ${path.split('?')[0]}`);
    assert.deepEqual(
      asked.filter(call => !call.includes('/events')),
      [
        'create /apis/authorization.k8s.io/v1/subjectaccessreviews',
        `get ${SECRET}`,
        `get ${BUNDLE}`,
        PATCH.split('?')[0],
        'mergePatch /apis/certificates.k8s.io/v1/certificatesigningrequests/jane/status',
      ],
    );
  });

  test('a certificate is signed although the bundle cannot be published', async t => {
    const arrange = (each: BundleCluster) => {
      each.fault = () => {
        throw new RetryableError('down', { code: 'server' });
      };
      each.lists['certificatesigningrequests'] = [buildCsr()];
    };
    const { cluster } = await start(t, { arrange });
    await until(() => statusWrites(cluster).length === 1);
    assert.ok(positionOf(cluster, 'clustertrustbundles') < positionOf(cluster, 'jane/status'));
    assert.equal(cluster.bundle, undefined);
  });

  test('that waited before this replica led is signed after its bundle is published', async t => {
    const arrange = (each: BundleCluster) => (each.lists['certificatesigningrequests'] = [buildCsr()]);
    const { cluster } = await start(t, { arrange });
    await until(() => statusWrites(cluster).length === 1);
    assert.ok(positionOf(cluster, 'clustertrustbundles') >= 0);
    assert.ok(positionOf(cluster, 'clustertrustbundles') < positionOf(cluster, 'jane/status'));
  });

  test('a certificate is signed at once where the API server has no trust bundles', async t => {
    const arrange = (each: BundleCluster) => {
      each.isServed = false;
      each.lists['certificatesigningrequests'] = [buildCsr()];
    };
    const startedAt = performance.now();
    const { cluster } = await start(t, { arrange });
    await until(() => statusWrites(cluster).length === 1);
    assert.ok(performance.now() - startedAt < 1_500);
  });
});
