// The largest CSRs that an API server stores: the webhook checks each review of them and denies none for its size.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PRIVATE_KEY_SECRET_NAME, REQUEST_DURATION } from '@countersign/common/annotations.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { buildRequest } from '../support/csr-builder.ts';
import { annotate, tryCreateCsr } from '../support/requests.ts';

/** Limit for all annotations of an object, keys and values (TotalAnnotationSizeLimitB). */
const ANNOTATIONS_BYTES = 256 * 1024;
const ALPHABET = 36;
const DENIED_FOR_THE_LOCK = /^admission webhook "requests\.countersign\.io" denied the request: .*ImmutableAnnotation/;

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
});
after(() => cluster?.stop());

/** Keys of three characters with empty values, and one value of `<` that fills the rest except `spare` bytes. */
function annotationsOf(keys: number, spare: number): Record<string, string> {
  const names = Array.from({ length: keys }, (_, at) => (at + ALPHABET ** 2).toString(ALPHABET));
  const annotations = Object.fromEntries(names.map(name => [name, '']));
  const used = names.join('').length + 'note'.length;
  return { ...annotations, note: '<'.repeat(ANNOTATIONS_BYTES - used - spare) };
}

/** The largest request that is ever signed (36 500 bytes of PEM), padded with an unknown extension. */
function largeRequest(): string {
  return buildRequest([{ oid: '1.3.6.1.4.1.99999.1', value: Buffer.alloc(26_500) }]);
}

for (const [what, keys] of [
  ['forty thousand short keys', 40_000],
  ['a value that Go escapes', 0],
] as const) {
  test(`a CSR whose annotations are ${what} is created, annotated and protected like any other`, async () => {
    const name = `large-${keys}`;
    const annotations = annotationsOf(keys, 1_000);
    const signerName = 'clusterissuers.cert-manager.io/ca';
    const created = await tryCreateCsr(cluster, { name, signerName, annotations, request: largeRequest() });
    assert.equal(created.status, 201, created.body.message);
    for (const key of [REQUEST_DURATION, PRIVATE_KEY_SECRET_NAME]) {
      const refused = await annotate(cluster, name, { [key]: '1h' });
      assert.match(refused.body.message, DENIED_FOR_THE_LOCK);
    }
    const annotated = await annotate(cluster, name, { unlocked: 'x' });
    assert.equal(annotated.status, 200, annotated.body.message);
  });
}
