// Certificates that are issued as cert-manager issues them although strict clients reject them: what OpenSSL rejects
// with -x509_strict, and nothing else, is warned of, at the creation of a request and on the Issuer.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { REQUEST_IS_CA } from '@countersign/common/annotations.ts';
import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import type { IssuerType } from '@countersign/common/issuers/issuer-types.ts';
import { PERMISSIVE_POLICY } from '@countersign/common/request-policy.ts';
import { toRequestedCertificate } from '@countersign/common/validate-request.ts';
import { encodeBoolean, encodeOctetString, sequence, tlv } from '@countersign/common/x509/der.ts';
import type { Extension } from '@countersign/common/x509/extension.ts';
import { encodeNamedBits } from '@countersign/common/x509/named-bits.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';
import { GENERAL_NAME } from '@countersign/common/x509/subject-alt-name.ts';
import { certificateWarnings } from '@countersign/webhook/certificate-warnings.ts';
import { rootTexts, type SecretTexts } from '../support/ca-builder.ts';
import { buildCertificate, type CertificateParts, createHolder, nameOf } from '../support/certificate-builder.ts';
import { openssl, splitPem } from '../support/certificate-checks.ts';
import { buildCsr, buildRequest } from '../support/csr-builder.ts';
import {
  caKind,
  type IssuerKind,
  key,
  load,
  observe,
  readinessOf,
  selfSignedKind,
  signChain,
} from '../support/issuer-case.ts';

/** What OpenSSL says to a chain (PEM, the leaf first); undefined when it accepts it. */
async function strictError(chain: string, roots: string): Promise<string | undefined> {
  const [leaf = '', ...untrusted] = splitPem(chain);
  const files = { leaf, roots, untrusted: untrusted.join('') };
  const above = untrusted.length > 0 ? ['-untrusted', 'untrusted'] : [];
  // The certificates of the tests have dates of their own.
  const verify = ['verify', '-x509_strict', '-no_check_time', '-CAfile', 'roots', ...above, 'leaf'];
  return openssl(verify, files).then(
    () => undefined,
    (error: Error) => error.message,
  );
}

async function issue(kind: IssuerKind, texts: SecretTexts, csr = buildCsr()): Promise<string> {
  return (await signChain(await observe(kind, texts, csr))).chainPem;
}

const NAMES: Readonly<Record<string, readonly Buffer[] | undefined>> = {
  'no subjectAltName': undefined,
  'an empty subjectAltName': [],
  'a DNS name': [tlv(GENERAL_NAME.dnsName, Buffer.from('a.example'))],
};
const SUBJECTS = { 'no subject': sequence(), 'a subject': nameOf('example') };
const USAGES = [['digital signature'], ['cert sign'], ['crl sign'], ['client auth', 'cert sign', 'crl sign']];

interface RequestCase {
  readonly what: string;
  readonly csr: CertificateSigningRequest;
}

const REQUESTS: readonly RequestCase[] = Object.entries(NAMES).flatMap(([names, list]) =>
  Object.entries(SUBJECTS).flatMap(([subject, der]) =>
    USAGES.flatMap(usages =>
      ['true', 'false'].map(isCa => {
        const extensions = list === undefined ? [] : [{ oid: EXTENSION.subjectAltName, value: sequence(...list) }];
        const annotations = {
          [REQUEST_IS_CA]: isCa,
          'experimental.cert-manager.io/private-key-secret-name': 'key',
        };
        const csr = buildCsr({ request: buildRequest(extensions, key('p256'), der), usages, annotations });
        return { what: `${subject}, ${names}, [${usages.join()}], request-is-ca "${isCa}"`, csr };
      }),
    ),
  ),
);

describe('a request is warned of just when OpenSSL rejects its certificate,', { concurrency: 4 }, () => {
  const check = async (csr: CertificateSigningRequest, type: IssuerType, error: string | undefined) => {
    const requested = toRequestedCertificate(csr, PERMISSIVE_POLICY, { type });
    assert.ok(requested.ok);
    const warnings = certificateWarnings(requested.value, type);
    assert.equal(warnings.length > 0, error !== undefined, `${error}; ${warnings.join()}`);
    for (const warning of warnings) assert.ok(warning.length <= 256, warning);
  };
  for (const { what, csr } of REQUESTS) {
    it(`issued by a CA, with ${what}`, async () => {
      const root = rootTexts();
      await check(csr, 'ca', await strictError(await issue(caKind(), root, csr), root['tls.crt']));
    });
  }
  for (const { what, csr } of REQUESTS.filter(
    request => request.csr.metadata.annotations?.[REQUEST_IS_CA] === 'false',
  )) {
    it(`issued by a SelfSigned issuer, with ${what}`, async () => {
      const chain = await issue(selfSignedKind(), { 'tls.key': key('p256') }, csr);
      await check(csr, 'selfSigned', await strictError(chain, chain));
    });
  }
});

const CRITICAL = { critical: true };
const KEY_USAGE: Extension = { oid: EXTENSION.keyUsage, ...CRITICAL, value: encodeNamedBits(1 << 5) };
const KEY_ID: Extension = {
  oid: EXTENSION.subjectKeyIdentifier,
  critical: false,
  value: encodeOctetString(Buffer.alloc(20, 1)),
};
const LOOSE_CONSTRAINTS: Extension = {
  oid: EXTENSION.basicConstraints,
  critical: false,
  value: sequence(encodeBoolean(true)),
};

const holder = createHolder('root');
const keyPem = holder.privateKey.export({ format: 'pem', type: 'pkcs8' });

const CAS: readonly { readonly what: string; readonly parts: CertificateParts; readonly fault?: string }[] = [
  { what: 'all that RFC 5280 demands', parts: { extensions: [KEY_USAGE, KEY_ID] } },
  {
    what: 'no subject key identifier',
    parts: { extensions: [KEY_USAGE] },
    fault: 'certificate 1 in tls.crt has no subject key identifier (RFC 5280 4.2.1.2)',
  },
  {
    what: 'an empty subject',
    parts: { extensions: [KEY_USAGE, KEY_ID], subject: sequence(), issuer: sequence() },
    fault: 'certificate 1 in tls.crt has an empty subject (RFC 5280 4.1.2.6)',
  },
  {
    what: 'no keyUsage',
    parts: { extensions: [KEY_ID] },
    fault: 'certificate 1 in tls.crt has no keyUsage (RFC 5280 4.2.1.3)',
  },
  {
    what: 'basicConstraints that are not critical',
    parts: { basicConstraints: 'absent', extensions: [LOOSE_CONSTRAINTS, KEY_USAGE, KEY_ID] },
    fault: 'certificate 1 in tls.crt has a non-critical basicConstraints (RFC 5280 4.2.1.9)',
  },
];

/** What is recorded on the Issuer although it is Ready. */
async function warningsOn(texts: SecretTexts): Promise<readonly string[]> {
  const { handler } = caKind();
  const { condition, warnings = [] } = await readinessOf(handler, await load(handler, texts));
  assert.equal(condition.status, 'True');
  return warnings.map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
}

const warningOf = (fault: string) =>
  `Warning NotStrictlyValid: Strict X.509 clients reject certificates from this issuer: ${fault}; reissue the CA certificate`;

describe('an Issuer is warned of just when OpenSSL rejects what it signs,', () => {
  const csr = buildCsr({ request: buildRequest([], key('p256'), nameOf('example')) });

  for (const { what, parts, fault } of CAS) {
    it(`whose root has ${what}`, async () => {
      const root = buildCertificate(holder, holder, parts);
      const texts = { 'tls.key': keyPem, 'tls.crt': root };
      const error = await strictError(await issue(caKind(), texts, csr), root);
      assert.equal(error === undefined, fault === undefined, error ?? 'accepted');
      assert.deepEqual(await warningsOn(texts), fault === undefined ? [] : [warningOf(fault)]);
    });
  }

  it('whose intermediate does not name the key of its issuer', async () => {
    const root = createHolder('above');
    const extensions = [KEY_USAGE, KEY_ID];
    const rootPem = buildCertificate(root, root, { extensions });
    const texts = { 'tls.key': keyPem, 'tls.crt': buildCertificate(holder, root, { extensions }), 'ca.crt': rootPem };
    assert.match(
      (await strictError(await issue(caKind(), texts, csr), rootPem)) ?? '',
      /Missing Authority Key Identifier/,
    );
    assert.deepEqual(await warningsOn(texts), [
      warningOf('certificate 1 in tls.crt has no authority key identifier (RFC 5280 4.2.1.1)'),
    ]);
  });

  it('whose root, in ca.crt, has no subject key identifier', async () => {
    const root = createHolder('above');
    const authorityKey = {
      oid: EXTENSION.authorityKeyIdentifier,
      critical: false,
      value: sequence(tlv(0x80, Buffer.of(1))),
    };
    const rootPem = buildCertificate(root, root, { extensions: [KEY_USAGE] });
    const crt = buildCertificate(holder, root, { extensions: [KEY_USAGE, KEY_ID, authorityKey] });
    const texts = { 'tls.key': keyPem, 'tls.crt': crt, 'ca.crt': rootPem };
    assert.match(
      (await strictError(await issue(caKind(), texts, csr), rootPem)) ?? '',
      /Missing Subject Key Identifier/,
    );
    assert.deepEqual(await warningsOn(texts), [
      warningOf('the certificate in ca.crt has no subject key identifier (RFC 5280 4.2.1.2)'),
    ]);
  });
});
