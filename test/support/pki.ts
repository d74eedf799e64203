// Reads keys, CA certificates and requests from test/vectors/pki (created with openssl by make-pki.sh), and builds
// inputs for tests of issuance.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Result } from '@countersign/common/result.ts';
import { type CaCertificate, parseCertificates } from '@countersign/signer/authority/ca-certificate.ts';
import { parseSigningKey, type SigningKey } from '@countersign/signer/authority/signing-key.ts';

const DIRECTORY = new URL('../vectors/pki/', import.meta.url);

/** Returns the PEM of a file, e.g. `keys/p256`. */
export function readPki(name: string): string {
  return readFileSync(new URL(`${name}.pem`, DIRECTORY), 'utf8');
}

/** Returns a request from pki/requests in base64, as in spec.request. */
export function readPkiRequest(name: string): string {
  return Buffer.from(readPki(`requests/${name}`)).toString('base64');
}

export function readKey(name: string): SigningKey {
  return valueOf(parseSigningKey(readPki(`keys/${name}`)));
}

export function readCaCertificates(...names: readonly string[]): readonly CaCertificate[] {
  return valueOf(parseCertificates(names.map(name => readPki(`certificates/${name}`)).join('')));
}

/** Returns the value of a result; fails if it is an error. */
export function valueOf<T>(result: Result<T, unknown>): T {
  if (!result.ok) assert.fail(`no value: ${JSON.stringify(result.error)}`);
  return result.value;
}

/** Returns the error of a result. Returns undefined for a value, which is not printed if the test fails. */
export function errorOf<E>(result: Result<unknown, E>): E | undefined {
  return result.ok ? undefined : result.error;
}
