// Issuers of type SelfSigned sign each certificate with the request's own key, from a Secret named by an annotation of
// the request. The Secret may be created later; a different key fails the request.

import { type Reason, reasons } from '@countersign/common/reasons/reasons.ts';
import { err, type Result } from '@countersign/common/result.ts';
import { formatSecretRef } from '@countersign/common/secret.ts';
import { ComputeScheduler } from '../authority/compute-scheduler.ts';
import { loadSigningKey, type SigningKey } from '../authority/signing-key.ts';
import type { IssuerUrls } from '../issuance/profile.ts';
import type { ObservedSecret } from '../secret.ts';
import type { IssuanceRequest, IssuerDecision, IssuerTypeHandler } from './issuer-type.ts';
import { waitForUrls } from './issuer-urls.ts';
import { prepareLocally } from './local-issuance.ts';
import { explained, readPem } from './observe-secret.ts';
import { isSignedBy, readLocalLeaf, type StoredCertificate } from './stored-certificate.ts';
import { waitForUsable } from './unusable-secret.ts';

interface LoadedKey {
  readonly secret: ObservedSecret;
  readonly key: Result<SigningKey>;
}

export function createSelfSignedIssuer(scheduler = new ComputeScheduler()): IssuerTypeHandler<LoadedKey> {
  return {
    type: 'selfSigned',
    load: async secret => ({ secret, key: await loadKey(secret, scheduler) }),
    reject: () => undefined, // The Secret contains no certificate.
    decide,
    topOf: (_, stored) => topOf(stored),
    readiness: () => ({ condition: { status: 'True', reason: 'IsReady', message: '' }, events: [] }),
  };
}

/** The request's own key signed it; the Secret with that key may be gone by now. */
function topOf(stored: StoredCertificate): string | undefined {
  const leaf = readLocalLeaf(stored);
  return leaf !== undefined && isSignedBy(leaf, leaf.spki) ? stored.chainPem : undefined;
}

async function loadKey({ ref, secret }: ObservedSecret, scheduler: ComputeScheduler): Promise<Result<SigningKey>> {
  scheduler.noteUse(ref);
  const pem = secret && readPem(secret, 'tls.key');
  return pem
    ? explained(await loadSigningKey(pem, scheduler.ofSigning(ref)), pem, 'private key')
    : err(`no data for "tls.key" in secret '${formatSecretRef(ref)}'`);
}

function decide(request: IssuanceRequest, loaded: LoadedKey | undefined, now: Date): IssuerDecision {
  if (loaded === undefined) return fail('MissingAnnotation', reasons.MissingAnnotation.message());
  const { secret, key } = loaded;
  if (secret.secret === undefined) {
    const message = reasons.SecretNotFound.message(formatSecretRef(secret.ref));
    return { kind: 'wait', reason: 'SecretNotFound', message, secret };
  }
  if (!key.ok) return waitForUsable('ErrorParsingKey', secret, key.error);
  const urls = urlsOf(request);
  return waitForUrls(request, urls, secret) ?? issue(request, { secret, urls, key: key.value }, now);
}

function urlsOf({ issuer }: IssuanceRequest): IssuerUrls {
  const { crlDistributionPoints = [] } = issuer.spec.selfSigned ?? {};
  return { crlDistributionPoints, ocspServers: [], issuingCertificateUrls: [] };
}

interface SigningMaterial {
  readonly secret: ObservedSecret;
  readonly urls: IssuerUrls;
  readonly key: SigningKey;
}

function issue(
  { requested, policy }: IssuanceRequest,
  { secret, urls, key }: SigningMaterial,
  now: Date,
): IssuerDecision {
  const prepared = prepareLocally(
    requested,
    { key, identity: undefined, urls, constrained: [], badRequest: 'ErrorGenerating' },
    { policy, now },
  );
  if (!prepared.ok && prepared.error.kind === 'request') return fail(prepared.error.reason, prepared.error.message);
  if (!requested.ok || !key.isKeyOf(requested.value.publicKey)) {
    return fail('ErrorKeyMatch', reasons.ErrorKeyMatch.message());
  }
  if (!prepared.ok) return fail('ErrorSigning', reasons.ErrorSigning.message(prepared.error.message));
  return { kind: 'issue', issuance: { kind: 'local', certificate: prepared.value, key, authority: undefined, secret } };
}

function fail(reason: Reason, message: string): IssuerDecision {
  return { kind: 'fail', reason, message };
}
