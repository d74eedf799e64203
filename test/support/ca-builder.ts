// Builds Secrets from the keys and certificates in test/vectors/pki, and Issuers that reference them, for tests of
// the signer.

import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import type { IssuerSpec } from '@countersign/common/issuers/issuer-types.ts';
import type { Secret } from '@countersign/common/secret.ts';
import { readPki } from './pki.ts';

/** The values of a Secret as text. Omitted keys are absent. */
export interface SecretTexts {
  readonly 'tls.key'?: string;
  readonly 'tls.crt'?: string;
  readonly 'ca.crt'?: string;
}

export function buildSecret(texts: SecretTexts, name = 'my-ca', resourceVersion = '1'): Secret {
  const data = Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
  );
  return { metadata: { name, uid: `uid-of-${name}`, resourceVersion }, data };
}

export function readCertificates(...names: readonly string[]): string {
  return names.map(name => readPki(`certificates/${name}`)).join('');
}

/** A root CA that can sign. */
export function rootTexts(): Required<Pick<SecretTexts, 'tls.key' | 'tls.crt'>> {
  return { 'tls.key': readPki('keys/p256-root'), 'tls.crt': readCertificates('root') };
}

export const CA_SPEC: IssuerSpec = { ca: { secretName: 'my-ca' } };

/** The Issuer sandbox/my-ca; `ready` is the status of its Ready condition, undefined for none. */
export function buildIssuer(spec: IssuerSpec = CA_SPEC, ready: string | undefined = 'True'): Issuer {
  const conditions = ready === undefined ? [] : [{ type: 'Ready', status: ready }];
  return {
    metadata: { name: 'my-ca', namespace: 'sandbox', uid: 'uid-of-issuer', resourceVersion: '3', generation: 2 },
    spec,
    status: { conditions },
  };
}
