// Requests for certificates that strict clients reject, with the expected warnings.
// test/component/strict-clients.test.ts verifies that OpenSSL rejects exactly these. Used by warnings.test.ts.

import { REQUEST_IS_CA as IS_CA, PRIVATE_KEY_SECRET_NAME as KEY_SECRET } from '@countersign/common/annotations.ts';
import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import { sequence } from '@countersign/common/x509/der.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';
import { CA, SELF } from '../../support/admission-reviews.ts';
import { nameOf } from '../../support/certificate-builder.ts';
import { buildRequest } from '../../support/csr-builder.ts';
import { altNames } from '../../support/name-constraints.ts';
import { readPki } from '../../support/pki.ts';
import type { UnitCase } from './judgement.ts';

const KEY = readPki('keys/p256');
const SUBJECT = nameOf('example');
const NAMED = buildRequest([altNames('DNS:a.example')]);
const NO_NAMES = { oid: EXTENSION.subjectAltName, value: sequence() };
const VENAFI: Issuer = { ...CA, spec: { venafi: {} } };

const CERT_SIGN = `strict clients reject a certificate that has the usage "cert sign" but is not a CA: set ${IS_CA} to "true", or remove the usage`;
const EMPTY_NAMES =
  'strict clients reject a certificate whose subjectAltName is empty: add a name to it, or omit the extension';
const NAMELESS =
  'strict clients reject a certificate with neither a subject nor a subjectAltName: set at least one of them';
const CRL_SIGN = 'strict clients reject a certificate with the usage "crl sign" but without a subject: set a subject';
const NAMELESS_CA = 'strict clients reject a CA certificate without a subject: set a subject';

export const CERTIFICATE_CASES: readonly UnitCase[] = [
  {
    name: 'the usage "cert sign" without isCA gets a warning',
    create: { usages: ['cert sign'] },
    allowed: true,
    warnings: [CERT_SIGN],
  },
  {
    name: 'the usage "cert sign" without isCA gets a warning while the issuer is unknown',
    create: { usages: ['cert sign'] },
    known: { issuer: 'unknown' },
    allowed: true,
    warnings: [CERT_SIGN],
  },
  {
    name: 'the usage "cert sign" without isCA gets no warning if another signer signs',
    create: { usages: ['cert sign'] },
    known: { issuer: VENAFI },
    allowed: true,
    warnings: [
      'Issuer sandbox/ca is of type venafi, which Countersign does not sign with (only ca, vault, selfSigned); the request waits for another signer',
    ],
  },
  {
    name: 'an empty subjectAltName gets a warning, even with a subject',
    create: { request: buildRequest([NO_NAMES], KEY, SUBJECT) },
    allowed: true,
    warnings: [EMPTY_NAMES],
  },
  {
    name: 'an empty subjectAltName gets one warning, even if the usage "crl sign" also lacks a subject',
    create: { request: buildRequest([NO_NAMES]), usages: ['crl sign'] },
    allowed: true,
    warnings: [EMPTY_NAMES],
  },
  {
    name: 'a request with neither a subject nor a subjectAltName gets a warning',
    create: { request: buildRequest() },
    allowed: true,
    warnings: [NAMELESS],
  },
  { name: 'a request with only a subjectAltName gets no warning', create: { request: NAMED }, allowed: true },
  {
    name: 'a request with only a subject gets no warning',
    create: { request: buildRequest([], KEY, SUBJECT), usages: ['crl sign'] },
    allowed: true,
  },
  {
    name: 'the usage "crl sign" without a subject gets a warning',
    create: { request: NAMED, usages: ['crl sign'] },
    allowed: true,
    warnings: [CRL_SIGN],
  },
  {
    name: 'a CA without a subject gets a warning',
    create: { request: NAMED, usages: ['cert sign'], annotations: { [IS_CA]: 'true' } },
    allowed: true,
    warnings: [NAMELESS_CA],
  },
  {
    name: 'the usage "cert sign" and a missing name get a warning each',
    create: { request: buildRequest(), usages: ['cert sign'] },
    allowed: true,
    warnings: [CERT_SIGN, NAMELESS],
  },
  {
    name: 'a self-signed certificate that is not a CA gets no warning',
    create: { signerName: SELF, request: buildRequest(), usages: ['cert sign'], annotations: { [KEY_SECRET]: 'key' } },
    allowed: true,
  },
  {
    name: 'a self-signed CA without a subject gets a warning',
    create: {
      signerName: SELF,
      request: buildRequest(),
      usages: ['cert sign'],
      annotations: { [KEY_SECRET]: 'key', [IS_CA]: 'true' },
    },
    allowed: true,
    warnings: [NAMELESS_CA],
  },
];
