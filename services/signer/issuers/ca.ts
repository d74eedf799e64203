// Issuers of type CA: sign with the key pair in a Secret. What is wrong with that Secret makes requests wait, since it is not
// the requester's doing; only what is wrong with the request fails it.

import { type Issuer, secretNamespace } from '@countersign/common/issuer.ts';
import { reasons } from '@countersign/common/reasons.ts';
import { err, ok, type Result } from '@countersign/common/result.ts';
import { isValidSignature } from '@countersign/common/signature.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import { type CaCertificate, parseIssuance } from '../issuance/ca-certificate.ts';
import { completeChain, type IssuerChain } from '../issuance/chain.ts';
import type { IssuancePolicy } from '../issuance/issuance-policy.ts';
import type { IssuerUrls } from '../issuance/profile.ts';
import { TurnsByNamespace } from '../issuance/turns.ts';
import { formatSecretRef, type SecretRef } from '../secret-reader.ts';
import type { IssuanceRequest, IssuerDecision, IssuerTypeHandler, ObservedIssuer, Readiness } from './issuer-type.ts';
import { waitForUrls } from './issuer-urls.ts';
import { createKeyPairLoader, type KeyPair, type LoadedSecret } from './key-pair.ts';
import { type LocalProblem, prepareLocally } from './local-issuance.ts';
import { observeSecret } from './observe-secret.ts';

type UsablePair = Omit<KeyPair, 'chain' | 'strictFault'> & { readonly chain: IssuerChain };

export function createCaIssuer(turns = new TurnsByNamespace()): IssuerTypeHandler {
  const load = createKeyPairLoader(turns);
  return {
    type: 'ca',
    reasons: {
      issuedMessage: reasons.CertificateIssued.message(),
      signingFailed: 'SigningError',
      updateFailed: 'SigningError',
    },
    async observe(deps, request) {
      const ref = secretRef(request.ref, request.issuer, deps.clusterResourceNamespace);
      const secret = await observeSecret(deps, ref, 'SecretGetError');
      return observedCa(request, await load(secret));
    },
    async readiness(deps, ref, issuer) {
      const secret = await observeSecret(deps, secretRef(ref, issuer, deps.clusterResourceNamespace), 'SecretGetError');
      return judge(await load(secret));
    },
  };
}

function secretRef(ref: SignerRef, issuer: Issuer, clusterResourceNamespace: string): SecretRef {
  return { namespace: secretNamespace(ref, clusterResourceNamespace), name: issuer.spec.ca?.secretName ?? '' };
}

function observedCa(request: IssuanceRequest, loaded: LoadedSecret): ObservedIssuer {
  const { pair } = loaded;
  return {
    decide: now => decide(request, loaded, now),
    topOf(chainPem) {
      const leaf = parseIssuance(chainPem);
      if (!pair.ok || !pair.value.chain.ok || !leaf.ok) return undefined;
      return linksTo(leaf.value, pair.value) ? pair.value.chain.value.topPem : undefined;
    },
  };
}

/** Whether the leaf was signed by this CA. The key decides: a renewed CA is as good as the first. */
function linksTo(leaf: Pick<CaCertificate, 'issuer' | 'signed'>, { certificate }: KeyPair): boolean {
  if (!leaf.issuer.equals(certificate.subject)) return false;
  return isValidSignature({ ...leaf.signed, spki: certificate.spki }, 'no sha1');
}

function decide(request: IssuanceRequest, { secret, pair, reject }: LoadedSecret, now: Date): IssuerDecision {
  const name = formatSecretRef(secret.ref);
  if (secret.secret === undefined) {
    return { kind: 'wait', reason: 'SecretMissing', message: reasons.SecretMissing.message(name), secret };
  }
  const unusable = (problem: string) => {
    const message = reasons.SecretInvalidData.message(name, problem);
    return { kind: 'wait', reason: 'SecretInvalidData', message, secret } as const;
  };
  const usable = pair.ok ? findUsable(pair.value, request.policy, now) : pair;
  if (!usable.ok) return unusable(usable.error);
  const { key, certificate, chain } = usable.value;
  const urls = urlsOf(request.issuer);
  const waiting = waitForUrls(request, urls, secret);
  if (waiting !== undefined) return waiting;
  const constrained = request.policy.honourNameConstraints ? chain.constrained : [];
  const prepared = prepareLocally(request, { key, identity: certificate, urls, constrained }, now);
  if (prepared.ok) {
    return {
      kind: 'issue',
      issuance: {
        certificate: prepared.value,
        key,
        complete: pem => completeChain(pem, chain, request.policy),
        unusable,
        authority: {
          pem: `${certificate.pem}${chain.aboveLeafPem}${chain.rootPem}`,
          reject: problem => (reject(problem), unusable(problem)),
        },
      },
    };
  }
  return toFailure(prepared.error);
}

function toFailure({ kind, message }: LocalProblem): IssuerDecision {
  if (kind === 'names') return { kind: 'fail', reason: 'NameConstraintViolation', message };
  const text = kind === 'request' ? message : reasons.SigningError.message(message);
  return { kind: 'fail', reason: 'SigningError', message: text };
}

/** The pair with its chain, or why nothing is signed with it. */
function findUsable({ key, certificate, chain }: KeyPair, policy: IssuancePolicy, now: Date): Result<UsablePair> {
  if (!chain.ok) return chain;
  const mayHaveEnded = !policy.refuseExpiredCa && !policy.clampToCa;
  if (certificate.notAfter <= now && !mayHaveEnded) {
    return err(`the certificate of the CA has ended: ${certificate.notAfter.toISOString()}`);
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

/** As cert-manager's Setup judges it: neither the match of key and certificate nor the chain is looked at. */
function judge({ secret, pair }: LoadedSecret): Readiness {
  if (!pair.ok) {
    const message = reasons.ErrGetKeyPair.message(pair.error);
    const failed = { type: 'Warning', reason: 'ErrGetKeyPair', message } as const;
    const init = {
      type: 'Warning',
      reason: 'ErrInitIssuer',
      message: reasons.ErrInitIssuer.message(pair.error),
    } as const;
    return { condition: { status: 'False', reason: 'ErrGetKeyPair', message }, events: [failed, init], secret };
  }
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
