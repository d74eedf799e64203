// Builds certificate profiles for tests of issuance: from a CSR, as the signer does, or with single fields replaced.

import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import { toRequestedCertificate } from '@countersign/common/validate-request.ts';
import { AS_CERT_MANAGER, type IssuancePolicy } from '@countersign/signer/issuance/issuance-policy.ts';
import {
  buildProfile,
  type IssuerIdentity,
  type IssuerUrls,
  type Profile,
} from '@countersign/signer/issuance/profile.ts';
import { valueOf } from './pki.ts';
import { readRequest } from './vectors.ts';

export const NOW = new Date('2026-11-24T12:00:00.789Z');
export const SERIAL = Buffer.from('4d0102030405060708090a0b0c0d0e0f10111213', 'hex');
export const NO_URLS: IssuerUrls = { crlDistributionPoints: [], ocspServers: [], issuingCertificateUrls: [] };

export interface Order {
  /** The request in base64. Defaults to `p256` of test/vectors. */
  readonly request?: string;
  readonly usages?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly issuer?: IssuerIdentity;
  readonly urls?: IssuerUrls;
  /** Defaults to cert-manager's behaviour. */
  readonly policy?: Partial<IssuancePolicy>;
}

/** Returns the profile for one CSR. Self-signed by default. */
export function profileFor({
  request = readRequest('p256'),
  usages,
  annotations = {},
  issuer,
  urls,
  policy,
}: Order): Profile {
  const csr: CertificateSigningRequest = {
    metadata: { name: 'example', uid: 'uid', annotations },
    spec: { signerName: 'issuers.cert-manager.io/sandbox.ca', request, ...(usages && { usages }) },
  };
  const demands = { ...AS_CERT_MANAGER, ...policy };
  const requested = valueOf(toRequestedCertificate(csr, demands));
  return buildProfile({
    requested,
    issuer: issuer ?? { subject: requested.subject },
    urls: urls ?? NO_URLS,
    now: NOW,
    serial: SERIAL,
    policy: demands,
  });
}
