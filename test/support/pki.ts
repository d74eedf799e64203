// Reads the keys, CA certificates and requests of test/vectors/pki (make-pki.sh made them with openssl), and builds
// what tests of issuance need of them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Result } from '@countersign/common/result.ts';
import { type CaCertificate, parseCertificates } from '@countersign/signer/authority/ca-certificate.ts';
import { parseSigningKey, type SigningKey } from '@countersign/signer/authority/signing-key.ts';

const DIRECTORY = new URL('../vectors/pki/', import.meta.url);

/** The PEM of a file, e.g. `keys/p256`. */
export function readPki(name: string): string {
  return readFileSync(new URL(`${name}.pem`, DIRECTORY), 'utf8');
}

/** Base64 of a request in pki/requests, as spec.request holds it. */
export function readPkiRequest(name: string): string {
  return Buffer.from(readPki(`requests/${name}`)).toString('base64');
}

export function readKey(name: string): SigningKey {
  return valueOf(parseSigningKey(readPki(`keys/${name}`)));
}

export function readCaCertificates(...names: readonly string[]): readonly CaCertificate[] {
  return valueOf(parseCertificates(names.map(name => readPki(`certificates/${name}`)).join('')));
}

/** The value of a result that must be one. */
export function valueOf<T>(result: Result<T, unknown>): T {
  if (!result.ok) assert.fail(`no value: ${JSON.stringify(result.error)}`);
  return result.value;
}

/** The error of a result that should be one; a value is undefined here, and not printed when the test fails. */
export function errorOf<E>(result: Result<unknown, E>): E | undefined {
  return result.ok ? undefined : result.error;
}
