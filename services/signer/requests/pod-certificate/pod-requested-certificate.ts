// What a PodCertificateRequest asks for, as plain data: the key of its stub, the SPIFFE ID of its ServiceAccount, and
// DNS names that the pod asks for and the owner of the issuer allows. The identity comes only from fields that
// NodeRestriction verifies. Pure.

import { MILLISECOND, type Nanoseconds } from '@countersign/common/duration.ts';
import { podIdentityOf, readPodNames } from '@countersign/common/pods/pod-annotations.ts';
import { type PodCertificateRequest, podRequester } from '@countersign/common/pods/pod-certificate-request.ts';
import type { PodTerms } from '@countersign/common/pods/pod-terms.ts';
import { formatSpiffeId } from '@countersign/common/pods/spiffe-id.ts';
import type { RequestedCertificate } from '@countersign/common/requested-certificate.ts';
import { err, ok, type Result } from '@countersign/common/result.ts';
import { parseSignerName } from '@countersign/common/signer-name.ts';
import { encodeGeneralNames, encodeSubject } from '@countersign/common/x509/general-names.ts';
import type { Pkcs10 } from '@countersign/common/x509/pkcs10.ts';
import { type PodRefusal, refusePodNames, refusePodRequest } from './refuse-request.ts';
import { parseStubRequest } from './stub-request.ts';

/** What an operator may set for the certificates of pods. */
export interface PodCertificatePolicy {
  /** The longest lifetime of a certificate, at least an hour; undefined: 91 days, the API server's limit. */
  readonly maxDuration: Nanoseconds | undefined;
  /** How far before the signature a certificate begins, in milliseconds; within its lifetime. */
  readonly backdateMs: number;
}

/** The API server allows less than 5 minutes by its own clock, which may be ahead of ours. */
export const MAX_POD_BACKDATE_MS = 4 * 60_000;

/** A minute allows for the clock skew of other nodes. */
export const DEFAULT_POD_POLICY: PodCertificatePolicy = { maxDuration: undefined, backdateMs: 60_000 };

/** The API server's default. */
const DEFAULT_LIFETIME_SECONDS = 86_400;

const MINUTE_MS = 60_000;

/** The API server demands a lifetime of an hour; the rest allows for slow writes and for a useful refresh. */
const MIN_CA_LIFE_MS = 70 * MINUTE_MS;

export function toPodRequestedCertificate(
  request: Pick<PodCertificateRequest, 'metadata' | 'spec'>,
  terms: PodTerms,
  policy: PodCertificatePolicy,
): Result<RequestedCertificate, PodRefusal> {
  const stub = parseStubRequest(request.spec.stubPKCS10Request);
  const denial = refusePodRequest(request, stub);
  if (denial !== undefined) return err(denial);
  const names = readPodNames(request);
  const ref = parseSignerName(request.spec.signerName);
  // refusePodRequest has denied all else.
  if (!stub.ok || !names.ok || !ref.ok) throw new TypeError('the signer name is that of another signer');
  const refusal = refusePodNames(request, terms, ref.value);
  if (refusal !== undefined) return err(refusal);
  const { dnsNames, commonName } = names.value;
  return ok({
    uid: request.metadata.uid ?? '',
    requester: podRequester(request).username ?? '',
    subject: encodeSubject(commonName),
    hasEmptySubject: commonName === undefined,
    ...keyOf(stub.value),
    subjectAltName: encodeNames(request, terms, dnsNames),
    usages: terms.usages,
    isCa: false,
    honoursNameConstraints: true,
    ...validityOf(request, policy),
  });
}

function keyOf(stub: Pkcs10): Pick<RequestedCertificate, 'publicKey' | 'proof'> {
  const { spki, signatureAlgorithm: algorithm, certificationRequestInfo: data, signature } = stub;
  return { publicKey: spki, proof: { algorithm, spki, data, signature } };
}

/** X509-SVID section 2 demands exactly one URI. */
function encodeNames(
  request: Pick<PodCertificateRequest, 'metadata' | 'spec'>,
  { trustDomain }: PodTerms,
  dnsNames: readonly string[],
): Buffer {
  const id = formatSpiffeId(trustDomain, podIdentityOf(request));
  return encodeGeneralNames([{ kind: 'uri', text: id }, ...dnsNames.map(text => ({ kind: 'dns', text }) as const)]);
}

/** Counted from notBefore, the lifetime is exactly what was asked for: the API server rejects a longer one. */
function validityOf(
  { spec }: Pick<PodCertificateRequest, 'spec'>,
  { maxDuration, backdateMs }: PodCertificatePolicy,
): Pick<RequestedCertificate, 'lifetimeMs' | 'validityRules'> {
  const asked = (spec.maxExpirationSeconds ?? DEFAULT_LIFETIME_SECONDS) * 1000;
  const maximum = maxDuration === undefined ? asked : Number(maxDuration / MILLISECOND);
  const backdate = Math.min(backdateMs, MAX_POD_BACKDATE_MS);
  return {
    lifetimeMs: Math.min(asked, maximum) - backdate,
    validityRules: { backdateMs: backdate, clampToCa: true, minCaLifeMs: MIN_CA_LIFE_MS },
  };
}
