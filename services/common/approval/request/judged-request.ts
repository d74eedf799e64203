// A request as policies judge it: made from the requested certificate alone, which is what will be signed, and from
// what the API server says about the requester. Pure; judges nothing.

import { readPrivateKeySecretName } from '../../annotations.ts';
import type { CertificateSigningRequest, Requester } from '../../csr.ts';
import { usageNames } from '../../key-usage.ts';
import type { RequestedCertificate } from '../../requested-certificate.ts';
import { type JudgedName, judgedNames } from './judged-names.ts';
import { type KeySize, publicKeySize } from './public-key-size.ts';
import { parseServiceAccount, type ServiceAccount } from './service-account.ts';

/** Who asks whom for a certificate. */
export interface Asked {
  /** Of the request object. */
  readonly name: string;
  readonly signerName: string;
  readonly requester: Requester;
  /** The Secret that a SelfSigned issuer signs with. */
  readonly keySecretName: string | undefined;
}

export function askedBy(csr: CertificateSigningRequest): Asked {
  const { metadata, spec } = csr;
  const { name } = metadata;
  return { name, signerName: spec.signerName, requester: spec, keySecretName: readPrivateKeySecretName(csr) };
}

export interface JudgedRequest extends Asked {
  /** undefined if the requester is not a ServiceAccount. */
  readonly account: ServiceAccount | undefined;
  readonly names: readonly JudgedName[];
  /** Values of `names` by field, without the unreadable ones. */
  readonly byField: ReadonlyMap<string, readonly string[]>;
  /** Names of spec.usages, and object identifiers of usages without a name. */
  readonly usages: readonly string[];
  readonly isCa: boolean;
  readonly hasNameConstraints: boolean;
  readonly lifetimeMs: number;
  readonly key: KeySize | undefined;
}

export function judgedRequest(requested: RequestedCertificate, asked: Asked): JudgedRequest {
  const { keySecretName } = asked;
  const keySecret = keySecretName === undefined ? [] : [{ field: 'privateKeySecretNames', value: keySecretName }];
  const names: readonly JudgedName[] = [...judgedNames(requested.subject, requested.subjectAltName), ...keySecret];
  const readable = names.filter(({ unreadable }) => unreadable === undefined);
  const byField = Map.groupBy(readable, ({ field }) => field);
  return {
    ...asked,
    account: parseServiceAccount(asked.requester.username),
    names,
    byField: new Map([...byField].map(([field, found]) => [field, found.map(({ value }) => value)])),
    usages: usageNames(requested.usages),
    isCa: requested.isCa,
    hasNameConstraints: requested.nameConstraints !== undefined,
    lifetimeMs: requested.lifetimeMs,
    key: publicKeySize(requested.publicKey),
  };
}
