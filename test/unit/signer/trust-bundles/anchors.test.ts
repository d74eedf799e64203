// Which certificates of an issuer's Secret become trust anchors, from Secrets as administrators write them.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeBoolean, sequence } from '@countersign/common/x509/der.ts';
import { createCaIssuer } from '@countersign/signer/issuers/ca.ts';
import { buildSecret, type SecretTexts } from '../../../support/ca-builder.ts';
import { buildCertificate, createHolder, type Holder } from '../../../support/certificate-builder.ts';

const [ROOT, NEXT, SUB, OTHER] = ['root', 'next', 'sub', 'other'].map(createHolder) as [Holder, Holder, Holder, Holder];
const PEM = {
  root: buildCertificate(ROOT),
  renewed: buildCertificate(ROOT, ROOT, { ends: '470101000000Z' }),
  next: buildCertificate(NEXT),
  sub: buildCertificate(SUB, ROOT),
  subBelowNext: buildCertificate(SUB, NEXT),
  /** The next root, signed by the one before. */
  cross: buildCertificate(NEXT, ROOT),
  other: buildCertificate(OTHER),
  leaf: buildCertificate(OTHER, OTHER, { basicConstraints: 'absent' }),
  notCa: buildCertificate(OTHER, OTHER, { basicConstraints: sequence() }),
  version1: buildCertificate(ROOT, ROOT, { version: 'absent' }),
  stillCa: buildCertificate(OTHER, OTHER, { basicConstraints: sequence(encodeBoolean(true)) }),
};
type Name = keyof typeof PEM;

function secretOf(holder: Holder, names: readonly Name[], caNames: readonly Name[] = [], more = ''): SecretTexts {
  const ca = caNames.map(name => PEM[name]).join('') + more;
  return {
    'tls.key': holder.privateKey.export({ format: 'pem', type: 'pkcs8' }),
    'tls.crt': names.map(name => PEM[name]).join(''),
    ...(ca !== '' && { 'ca.crt': ca }),
  };
}

async function anchorsOf(texts: SecretTexts | undefined) {
  const issuer = createCaIssuer();
  const ref = { namespace: 'sandbox', name: 'my-ca' };
  const found = await issuer.anchors!(await issuer.load({ ref, secret: texts && buildSecret(texts) }));
  const nameOf = (pem: string) => Object.entries(PEM).find(([, each]) => each === pem)?.[0] ?? '?';
  return found && { names: found.anchors.map(({ pem }) => nameOf(pem)), isRootUnknown: found.isRootUnknown };
}

describe('the trust anchors of a CA', () => {
  const cases: readonly (readonly [string, SecretTexts, readonly Name[], boolean])[] = [
    ['are the root that signs itself', secretOf(ROOT, ['root']), ['root'], false],
    ['have the root of ca.crt once', secretOf(ROOT, ['root'], ['root']), ['root'], false],
    ['are the root in ca.crt of an intermediate', secretOf(SUB, ['sub'], ['root']), ['root'], false],
    ['are the root in tls.crt of an intermediate', secretOf(SUB, ['sub', 'root']), ['root'], false],
    [
      'have the next root that is announced in ca.crt',
      secretOf(SUB, ['sub'], ['root', 'next']),
      ['root', 'next'],
      false,
    ],
    [
      'have the root before and after a renewal',
      secretOf(ROOT, ['renewed'], ['renewed', 'root']),
      ['renewed', 'root'],
      false,
    ],
    ['are the intermediate where no root is known', secretOf(SUB, ['sub']), ['sub'], true],
    [
      'are the root above a cross-signed CA that comes first in ca.crt',
      secretOf(SUB, ['subBelowNext'], ['cross', 'root']),
      ['root'],
      false,
    ],
    [
      'have the top of the chain where the roots in ca.crt have not signed it',
      secretOf(SUB, ['subBelowNext'], ['cross', 'other']),
      ['other', 'cross'],
      true,
    ],
    [
      'leave out what in ca.crt is no CA, after the first certificate',
      secretOf(ROOT, ['root'], ['root', 'leaf', 'notCa', 'stillCa']),
      ['root', 'stillCa'],
      false,
    ],
    ['are none for a root of version 1, which has no CA flag', secretOf(ROOT, ['version1']), [], false],
  ];
  for (const [name, texts, names, isRootUnknown] of cases) {
    test(name, async () => assert.deepEqual(await anchorsOf(texts), { names, isRootUnknown }));
  }

  test('the trust anchors of a CA are at most those among the first 32 certificates of ca.crt', async () => {
    const many = Array.from({ length: 40 }, (_, at) => buildCertificate(createHolder(`ca-${at}`))).join('');
    const found = await anchorsOf(secretOf(ROOT, ['root'], ['root'], many));
    assert.equal(found?.names.length, 32);
  });

  for (const [what, texts] of [
    ['is missing', undefined],
    ['is empty', {}],
    ['has the key of another CA', { ...secretOf(ROOT, ['root']), 'tls.crt': PEM.next }],
    ['has a broken chain', secretOf(SUB, ['sub'], ['other'])],
  ] as const) {
    test(`the trust anchors of a CA are unknown while the Secret ${what}`, async () =>
      assert.equal(await anchorsOf(texts), undefined));
  }
});
