// Reads the test vectors: cases as data (object in → answer expected), shared by the tests of all levels.

import { readFileSync } from 'node:fs';
import type { CertificateSigningRequest, CertificateSigningRequestSpec, ObjectMeta } from '@countersign/common/csr.ts';
import type { FieldError } from '@countersign/common/field-error.ts';
import { parse } from 'yaml';

const DIRECTORY = new URL('../vectors/', import.meta.url);

/** A CSR as sent to the API server. Its request is real, created with openssl. */
export interface CsrManifest extends CertificateSigningRequest {
  readonly apiVersion: 'certificates.k8s.io/v1';
  readonly kind: 'CertificateSigningRequest';
}

export interface ValidationCase {
  /** A sentence about the behaviour: the name of the test. */
  readonly name: string;
  readonly csr: CsrManifest;
  /** In order. The signer fails the CSR with the first one. */
  readonly errors: readonly FieldError[];
  /** Whether a real API server rejects the object before it reaches the webhook or the signer. */
  readonly refusedByApiServer: boolean;
}

interface WrittenCase {
  readonly name: string;
  readonly csr: {
    readonly metadata: ObjectMeta;
    readonly spec: Omit<CertificateSigningRequestSpec, 'request'> & { readonly request: string };
  };
  readonly errors?: readonly FieldError[];
  readonly refusedByApiServer?: boolean;
}

/** Reads a vectors file by name. */
export function readVectors<T>(file: string): T {
  return parse(readFileSync(new URL(file, DIRECTORY), 'utf8')) as T;
}

/** A request from test/vectors/requests in base64, as in spec.request. */
export function readRequest(name: string): string {
  return readPem(`requests/${name}`);
}

function readPem(path: string): string {
  return readFileSync(new URL(`${path}.pem`, DIRECTORY)).toString('base64');
}

/** Returns the cases of validate-request.yaml as complete objects. */
export function readValidationCases(): readonly ValidationCase[] {
  return readVectors<readonly WrittenCase[]>('validate-request.yaml').map(written => ({
    name: written.name,
    csr: {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: written.csr.metadata,
      spec: { ...written.csr.spec, request: readRequest(written.csr.spec.request) },
    },
    errors: written.errors ?? [],
    refusedByApiServer: written.refusedByApiServer ?? false,
  }));
}

export interface SignatureCase {
  readonly name: string;
  /** The request in base64, as in spec.request. */
  readonly request: string;
  readonly isValid: boolean;
}

/** Returns the cases of signatures.yaml. */
export function readSignatureCases(): readonly SignatureCase[] {
  const written =
    readVectors<readonly (Omit<SignatureCase, 'request'> & { readonly file: string })[]>('signatures.yaml');
  return written.map(({ file, ...rest }) => ({ ...rest, request: readPem(file) }));
}
