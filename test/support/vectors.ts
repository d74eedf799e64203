// Reads the vectors: cases as data (object in → answer expected) that tests of every level share. Never judges them.

import { readFileSync } from 'node:fs';
import type { CertificateSigningRequest, CertificateSigningRequestSpec, ObjectMeta } from '@countersign/common/csr.ts';
import type { FieldError } from '@countersign/common/field-error.ts';
import { parse } from 'yaml';

const DIRECTORY = new URL('../vectors/', import.meta.url);

/** A CSR as it would be sent to the API server: the request inside it is real, made by openssl. */
export interface CsrManifest extends CertificateSigningRequest {
  readonly apiVersion: 'certificates.k8s.io/v1';
  readonly kind: 'CertificateSigningRequest';
}

export interface ValidationCase {
  /** A sentence about behaviour: the name of the test. */
  readonly name: string;
  readonly csr: CsrManifest;
  /** In order; the signer fails the CSR with the first. */
  readonly errors: readonly FieldError[];
  /** What a real API server refuses by itself, so that the object never reaches webhook or signer. */
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

/** Any vectors file, by its name. */
export function readVectors<T>(file: string): T {
  return parse(readFileSync(new URL(file, DIRECTORY), 'utf8')) as T;
}

/** Base64 of a request in test/vectors/requests, as spec.request holds it. */
export function readRequest(name: string): string {
  return readPem(`requests/${name}`);
}

function readPem(path: string): string {
  return readFileSync(new URL(`${path}.pem`, DIRECTORY)).toString('base64');
}

/** The cases of validate-request.yaml as whole objects. */
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
  /** Base64 of the request, as spec.request holds it. */
  readonly request: string;
  readonly isValid: boolean;
}

/** The cases of signatures.yaml. */
export function readSignatureCases(): readonly SignatureCase[] {
  const written =
    readVectors<readonly (Omit<SignatureCase, 'request'> & { readonly file: string })[]>('signatures.yaml');
  return written.map(({ file, ...rest }) => ({ ...rest, request: readPem(file) }));
}
