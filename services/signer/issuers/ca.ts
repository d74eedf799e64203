// Issuers of type CA sign with the key pair in a Secret. Problems with that Secret make requests wait, since the
// requester cannot fix them; only problems with the request fail it.

import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import { reasons } from '@countersign/common/reasons/reasons.ts';
import { err, ok, type Result } from '@countersign/common/result.ts';
import { formatSecretRef, type Secret } from '@countersign/common/secret.ts';
import type { IssuerChain } from '../authority/chain.ts';
import { ComputeScheduler } from '../authority/compute-scheduler.ts';
import { type KeyPair, KeyPairLoader, type LoadedSecret } from '../authority/key-pair.ts';
import type { IssuancePolicy } from '../issuance/issuance-policy.ts';
import type { IssuerUrls } from '../issuance/profile.ts';
import { type CaAnchors, findAnchors } from '../trust-bundles/anchors.ts';
import type { IssuanceRequest, IssuerDecision, IssuerTypeHandler, MaterialOf, Readiness } from './issuer-type.ts';
import { waitForUrls } from './issuer-urls.ts';
import { prepareLocally } from './local-issuance.ts';
import { readPem } from './observe-secret.ts';
import { isSignedBy, readLocalLeaf, type StoredCertificate } from './stored-certificate.ts';
import { waitForUsable } from './unusable-secret.ts';

type UsablePair = Omit<KeyPair, 'chain' | 'strictFault'> & { readonly chain: IssuerChain };

export function createCaIssuer(scheduler = new ComputeScheduler()): IssuerTypeHandler<LoadedSecret> {
  const loader = new KeyPairLoader(scheduler);
  return {
    type: 'ca',
    load: secret => loader.load(secret),
    reject: ({ secret }, problem) => secret && loader.reject(secret, problem),
    decide,
    topOf,
    anchors: anchorFinder(scheduler),
    readiness,
  };
}

/**
 * Finds the anchors once for each version of a Secret, within the share of its namespace: a tenant chooses
 * the certificates.
 */
function anchorFinder(scheduler: ComputeScheduler): NonNullable<IssuerTypeHandler<LoadedSecret>['anchors']> {
  const known = new WeakMap<Secret, Promise<CaAnchors>>();
  return async loaded => {
    if (!loaded?.secret.secret || !loaded.pair.ok || !loaded.pair.value.chain.ok) return undefined;
    const { certificate, chain } = loaded.pair.value;
    const { ref, secret } = loaded.secret;
    const trustedPem = readPem(secret, 'ca.crt');
    const find = () => findAnchors({ certificate, chain: chain.value, trustedPem });
    const found = known.get(secret) ?? scheduler.load(ref, find);
    known.set(secret, found);
    return found;
  };
}

/** The key decides whether this CA signed the leaf: a renewed CA is equivalent. */
function topOf(loaded: LoadedSecret | undefined, stored: StoredCertificate): string | undefined {
  if (!loaded?.pair.ok || !loaded.pair.value.chain.ok) return undefined;
  const { certificate, chain } = loaded.pair.value;
  const leaf = readLocalLeaf(stored);
  const isOwn = leaf?.issuer.equals(certificate.subject) === true && isSignedBy(leaf, certificate.spki);
  return isOwn ? chain.value.topPem : undefined;
}

function decide(request: IssuanceRequest, loaded: LoadedSecret | undefined, now: Date): IssuerDecision {
  // The table of issuer types defines a Secret for every CA issuer.
  if (loaded === undefined) throw new TypeError('the Secret of a CA issuer was not read');
  const { secret, pair } = loaded;
  if (secret.secret === undefined) {
    const message = reasons.SecretMissing.message(formatSecretRef(secret.ref));
    return { kind: 'wait', reason: 'SecretMissing', message, secret };
  }
  const usable = pair.ok ? findUsable(pair.value, request.policy, now) : pair;
  if (!usable.ok) return waitForUsable('SecretInvalidData', secret, usable.error);
  const urls = urlsOf(request.issuer);
  return waitForUrls(request, urls, secret) ?? issue(request, { secret, urls, ...usable.value }, now);
}

type SigningMaterial = UsablePair & Pick<LoadedSecret, 'secret'> & { readonly urls: IssuerUrls };

function issue({ requested, policy }: IssuanceRequest, material: SigningMaterial, now: Date): IssuerDecision {
  const { secret, urls, key, certificate, chain } = material;
  const isHeld = policy.honourNameConstraints || (requested.ok && requested.value.honoursNameConstraints === true);
  const constrained = isHeld ? chain.constrained : [];
  const signer = { key, identity: certificate, urls, constrained, badRequest: 'SigningError' } as const;
  const prepared = prepareLocally(requested, signer, { policy, now });
  if (prepared.ok) {
    const pem = `${certificate.pem}${chain.aboveLeafPem}${chain.rootPem}`;
    const authority = { pem, chain, rootInChain: policy.rootInChain };
    return { kind: 'issue', issuance: { kind: 'local', certificate: prepared.value, key, authority, secret } };
  }
  const { error } = prepared;
  if (error.kind === 'request') return { kind: 'fail', reason: error.reason, message: error.message, secret };
  return { kind: 'fail', reason: 'SigningError', message: reasons.SigningError.message(error.message), secret };
}

/** Returns the pair with its chain, or why nothing may be signed with it. */
function findUsable({ key, certificate, chain }: KeyPair, policy: IssuancePolicy, now: Date): Result<UsablePair> {
  if (!chain.ok) return chain;
  const mayBeExpired = !policy.refuseExpiredCa && !policy.clampToCa;
  if (certificate.notAfter <= now && !mayBeExpired) {
    return err(`the CA certificate expired at ${certificate.notAfter.toISOString()}`);
  }
  return ok({ key, certificate, chain: chain.value });
}

function urlsOf({ spec }: Issuer): IssuerUrls {
  return {
    crlDistributionPoints: spec.ca?.crlDistributionPoints ?? [],
    ocspServers: spec.ca?.ocspServers ?? [],
    issuingCertificateUrls: spec.ca?.issuingCertificateURLs ?? [],
  };
}

/** Follows cert-manager's Setup, which checks neither the chain nor that key and certificate match. */
function readiness({ material: loaded }: Pick<MaterialOf<LoadedSecret>, 'material'>): Readiness {
  if (loaded === undefined) throw new TypeError('the Secret of a CA issuer was not read');
  const { secret, pair } = loaded;
  if (!pair.ok) return notReady(loaded, pair.error);
  const reason = pair.value.certificate.isCa ? 'KeyPairVerified' : 'ErrInvalidKeyPair';
  const message = reasons[reason].message();
  const status = pair.value.certificate.isCa ? 'True' : 'False';
  return {
    condition: { status, reason, message },
    events: [{ type: reasons[reason].eventType, reason, message }],
    ...warningsOf(pair.value),
    secret,
    ends: pair.value.certificate.notAfter,
    constrained: pair.value.chain.ok ? pair.value.chain.value.constrained : [],
  };
}

function warningsOf({ certificate, strictFault }: KeyPair): Pick<Readiness, 'warnings'> {
  if (!certificate.isCa || strictFault === undefined) return {};
  const message = reasons.NotStrictlyValid.message(strictFault);
  return { warnings: [{ type: 'Warning', reason: 'NotStrictlyValid', message }] };
}

function notReady({ secret }: LoadedSecret, problem: string): Readiness {
  const message = reasons.ErrGetKeyPair.message(problem);
  return {
    condition: { status: 'False', reason: 'ErrGetKeyPair', message },
    events: [
      { type: 'Warning', reason: 'ErrGetKeyPair', message },
      { type: 'Warning', reason: 'ErrInitIssuer', message: reasons.ErrInitIssuer.message(problem) },
    ],
    secret,
  };
}
