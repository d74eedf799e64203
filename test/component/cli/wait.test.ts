// `kubectl countersign wait` against a fake API server: it ends at once, and survives broken watches.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { FakeCluster, refusal } from '../../support/cli/fake-cluster.ts';
import { buildCertificateOf, buildCsr, type CsrOrder } from '../../support/csr-builder.ts';
import { CSRS } from '../../support/requests.ts';

const PENDING: CsrOrder = { conditions: [] };
const ISSUED: CsrOrder = { certificate: buildCertificateOf() };

let cluster: FakeCluster;
before(async () => {
  cluster = await FakeCluster.start();
});
after(() => cluster?.close());
beforeEach(() => cluster.reset());

/** The states that successive reads see; the last one stays. */
function reads(...orders: readonly CsrOrder[]): void {
  const left = [...orders];
  cluster.on(`GET ${CSRS}/jane`, () => ({ body: buildCsr(left.length > 1 ? left.shift() : left[0]) }));
}

/** The watch has one event, if any, and ends. */
function watches(event?: { readonly type: string; readonly object: unknown }): void {
  cluster.on(`GET ${CSRS}`, { events: event === undefined ? [] : [event] });
}

describe('kubectl countersign wait', () => {
  test('kubectl countersign wait ends at once for a CSR that is issued', async () => {
    reads(ISSUED);
    const { code, printed } = await cluster.run(['wait', 'jane']);
    assert.equal(code, 0);
    assert.equal(printed(), 'certificatesigningrequest.certificates.k8s.io/jane issued\n');
  });

  test('kubectl countersign wait ends with the event that has the certificate', async () => {
    reads(PENDING);
    watches({ type: 'MODIFIED', object: buildCsr(ISSUED) });
    assert.equal((await cluster.run(['wait', 'jane'])).code, 0);
    assert.equal(cluster.sent.filter(({ call }) => call.startsWith(`GET ${CSRS}/jane`)).length, 1);
  });

  for (const [type, advice] of [
    ['Denied', /jane is Denied: Test\nThis is final\./],
    ['Failed', /jane is Failed: Test\nThis is final\./],
  ] as const) {
    test(`kubectl countersign wait ends at once with exit code 3 for a CSR that is ${type}`, async () => {
      reads(PENDING);
      watches({ type: 'MODIFIED', object: buildCsr({ conditions: [type] }) });
      const { code, complaints } = await cluster.run(['wait', 'jane']);
      assert.equal(code, 3);
      assert.match(complaints(), advice);
    });
  }

  test('kubectl countersign wait says that the CSR was deleted, also if another has its name', async () => {
    reads(PENDING);
    watches({ type: 'DELETED', object: buildCsr(PENDING) });
    const deleted = await cluster.run(['wait', 'jane']);
    const other = buildCsr(ISSUED);
    watches({ type: 'ADDED', object: { ...other, metadata: { ...other.metadata, uid: 'another' } } });
    const replaced = await cluster.run(['wait', 'jane']);
    assert.deepEqual([deleted.code, replaced.code], [1, 1]);
    assert.match(deleted.complaints() + replaced.complaints(), /jane was deleted[^]*jane was deleted/);
  });

  test('kubectl countersign wait has exit code 4 after the timeout', async () => {
    reads(PENDING);
    watches();
    const { code, complaints } = await cluster.run(['wait', 'jane', '--timeout', '100ms']);
    assert.equal(code, 4);
    assert.match(complaints(), /jane has no certificate after 100ms\nIt may still be signed/);
  });

  test('kubectl countersign wait reads the CSR again when the watch ends or may not be opened', async () => {
    reads(PENDING, ISSUED);
    watches();
    assert.equal((await cluster.run(['wait', 'jane'])).code, 0);
    reads(PENDING, ISSUED);
    cluster.on(`GET ${CSRS}`, refusal(403, 'Forbidden', 'cannot watch'));
    assert.equal((await cluster.run(['wait', 'jane'])).code, 0);
  });

  test('escapes a name for the watch', async () => {
    const name = 'a,b=c';
    cluster.on(`GET ${CSRS}/${encodeURIComponent(name)}`, { body: buildCsr({ ...PENDING, name }) });
    watches({ type: 'MODIFIED', object: buildCsr({ ...ISSUED, name }) });
    await cluster.run(['wait', name, '--timeout', '1s']);
    const watch = cluster.sent.find(({ call }) => call.includes('watch=1'))?.call.split('?')[1];
    assert.equal(new URLSearchParams(watch).get('fieldSelector'), 'metadata.name=a\\,b\\=c');
  });

  for (const timeout of ['3d', '-1s', 'soon']) {
    test(`kubectl countersign wait refuses --timeout=${timeout}`, async () => {
      const { code, complaints } = await cluster.run(['wait', 'jane', `--timeout=${timeout}`]);
      assert.equal(code, 2);
      assert.match(complaints(), /is not a duration/);
    });
  }
});
