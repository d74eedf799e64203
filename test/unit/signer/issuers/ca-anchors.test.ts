// The trust anchors of a CA issuer, which belong to one version of its Secret.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCaIssuer } from '@countersign/signer/issuers/ca.ts';
import { buildSecret, rootTexts } from '../../../support/ca-builder.ts';
import { buildCertificate, createHolder } from '../../../support/certificate-builder.ts';

test('a root that is added to ca.crt is an anchor, although the CA stays the same', async () => {
  const handler = createCaIssuer();
  const anchorsWith = async (caCrt: string) => {
    const secret = buildSecret({ ...rootTexts(), 'ca.crt': caCrt });
    const material = await handler.load({ ref: { namespace: 'sandbox', name: 'my-ca' }, secret });
    const found = await handler.anchors?.(material);
    return found?.anchors.map(({ pem }) => pem);
  };
  const root = rootTexts()['tls.crt'];
  const next = buildCertificate(createHolder('next'));
  assert.deepEqual(await anchorsWith(root), [root]);
  assert.deepEqual(await anchorsWith(`${root}${next}`), [root, next]);
  assert.deepEqual(await anchorsWith(root), [root]);
});
