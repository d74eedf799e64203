// Profiles: what is taken from a CSR into the certificate.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR } from '@countersign/common/duration.ts';
import { parsePkcs10 } from '@countersign/common/x509/pkcs10.ts';
import { readPkiRequest, valueOf } from '../../../support/pki.ts';
import { profileFor } from '../../../support/profiles.ts';
import { readRequest } from '../../../support/vectors.ts';

const DURATION = 'experimental.cert-manager.io/request-duration';
const IS_CA = 'experimental.cert-manager.io/request-is-ca';

test('the profile takes subject, key and names byte for byte from the request', () => {
  const request = valueOf(parsePkcs10(readRequest('names')));
  const profile = profileFor({ request: readRequest('names') });
  assert.deepEqual(profile.subject, request.subject);
  assert.deepEqual(profile.publicKey, request.spki);
  assert.deepEqual(profile.subjectAltName, request.extensions[0]?.value);
});

test('the default validity is 90 days from now, in whole seconds', () => {
  const { notBefore, notAfter } = profileFor({});
  assert.equal(notBefore.toISOString(), '2026-11-24T12:00:00.000Z');
  assert.equal(notAfter.toISOString(), '2027-02-22T12:00:00.000Z');
});

test('notBefore and notAfter are truncated to whole seconds independently', () => {
  const { notAfter } = profileFor({ annotations: { [DURATION]: '10m0.5s' } });
  assert.equal(notAfter.toISOString(), '2026-11-24T12:10:01.000Z');
});

test('backdate moves notBefore and not notAfter', () => {
  const { notBefore, notAfter } = profileFor({ policy: { backdate: 300_000 } });
  assert.equal(notBefore.toISOString(), '2026-11-24T11:55:00.000Z');
  assert.equal(notAfter.toISOString(), '2027-02-22T12:00:00.000Z');
});

test('clampToCa limits notAfter to that of the CA', () => {
  const endOf = (caEnds: string, clampToCa: boolean) => {
    const issuer = { subject: Buffer.from('3000', 'hex'), notAfter: new Date(caEnds) };
    return profileFor({ issuer, policy: { clampToCa } }).notAfter.toISOString();
  };
  assert.equal(endOf('2026-12-01T00:00:00Z', true), '2026-12-01T00:00:00.000Z');
  assert.equal(endOf('2026-12-01T00:00:00Z', false), '2027-02-22T12:00:00.000Z');
  assert.equal(endOf('2027-12-01T00:00:00Z', true), '2027-02-22T12:00:00.000Z');
});

test('clampToCa has no effect on a self-signed certificate', () => {
  assert.equal(profileFor({ policy: { clampToCa: true } }).notAfter.toISOString(), '2027-02-22T12:00:00.000Z');
});

test('a request without a duration is limited to maxDuration', () => {
  const { notAfter } = profileFor({ policy: { maxDuration: HOUR } });
  assert.equal(notAfter.toISOString(), '2026-11-24T13:00:00.000Z');
});

test('a CA has a key identifier, and a leaf only with leafKeyIdentifier', () => {
  const ca = { request: readRequest('ca'), annotations: { [IS_CA]: 'true' } };
  const orders = [ca, {}, { policy: { leafKeyIdentifier: true } }];
  assert.deepEqual(
    orders.map(order => profileFor(order).hasKeyIdentifier),
    [true, false, true],
  );
});

test('the default usages are digital signature and key encipherment', () => {
  assert.deepEqual([profileFor({}).keyUsage, profileFor({}).extKeyUsages], [0b101, []]);
});

test('extended usages keep their order and duplicates, followed by unknown ones from the request', () => {
  const request = readRequest('unknown-ext-key-usage');
  const { keyUsage, extKeyUsages } = profileFor({ request, usages: ['digital signature', 'client auth'] });
  assert.deepEqual([keyUsage, extKeyUsages], [0b1, ['1.3.6.1.5.5.7.3.2', '1.2.3.4.5']]);
  const twice = profileFor({ usages: ['s/mime', 'any', 'email protection'] });
  assert.deepEqual(twice.extKeyUsages, ['1.3.6.1.5.5.7.3.4', '2.5.29.37.0', '1.3.6.1.5.5.7.3.4']);
});

test('only the annotation makes a certificate a CA, and it adds no usage', () => {
  const profile = profileFor({ request: readRequest('ca'), annotations: { [IS_CA]: 'true' } });
  assert.deepEqual([profile.isCa, profile.keyUsage], [true, 0b101]);
  assert.equal(profileFor({ annotations: { [IS_CA]: 'True' } }).isCa, false);
});

test('name constraints keep their criticality', () => {
  const { nameConstraints } = profileFor({ request: readPkiRequest('name-constraints') });
  assert.equal(nameConstraints?.critical, true);
  assert.equal(nameConstraints.value.includes('192'), false);
  assert.ok(nameConstraints.value.includes(Buffer.from([192, 0, 2, 0, 255, 255, 255, 0])));
});
