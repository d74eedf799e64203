// Issuers of type CA: sign with the key pair in a Secret. What is wrong with that Secret makes requests wait, since it is not
// the requester's doing; only what is wrong with the request fails it.

import { type Issuer, secretNamespace } from '@countersign/common/issuer.ts';
import { showName } from '@countersign/common/object-name.ts';
import { reasons } from '@countersign/common/reasons.ts';
import { err, ok, type Result } from '@countersign/common/result.ts';
import { isValidSignature } from '@countersign/common/signature.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import { type CaCertificate, parseCertificates, parseFirstCertificate } from '../issuance/ca-certificate.ts';
import { completeChain, type IssuerChain, linkIssuerChain } from '../issuance/chain.ts';
import type { IssuancePolicy } from '../issuance/issuance-policy.ts';
import type { IssuerUrls } from '../issuance/profile.ts';
import { loadSigningKey, type SigningKey } from '../issuance/signing-key.ts';
import { TurnsByNamespace } from '../issuance/turns.ts';
import { formatSecretRef, type Secret, type SecretRef } from '../secret-reader.ts';
import type {
  IssuanceRequest,
  IssuerDecision,
  IssuerTypeHandler,
  ObservedIssuer,
  ObservedSecret,
  Readiness,
} from './issuer-type.ts';
import { waitForUrls } from './issuer-urls.ts';
import { prepareLocally } from './local-issuance.ts';
import { observeSecret, readPem } from './observe-secret.ts';

/** The CA of one version of a Secret. */
interface KeyPair {
  readonly key: SigningKey;
  readonly certificate: CaCertificate;
  /** The chain, or why certificates that this pair signs would not be accepted. */
  readonly chain: Result<IssuerChain>;
}

type UsablePair = Omit<KeyPair, 'chain'> & { readonly chain: IssuerChain };

type LoadKeyPair = (observed: ObservedSecret) => Promise<Result<KeyPair>>;

export function createCaIssuer(): IssuerTypeHandler {
  const load = createLoader();
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
      return observedCa(request, secret, await load(secret));
    },
    async readiness(deps, ref, issuer) {
      const secret = await observeSecret(deps, secretRef(ref, issuer, deps.clusterResourceNamespace), 'SecretGetError');
      return judge(secret, await load(secret));
    },
  };
}

function secretRef(ref: SignerRef, issuer: Issuer, clusterResourceNamespace: string): SecretRef {
  return { namespace: secretNamespace(ref, clusterResourceNamespace), name: issuer.spec.ca?.secretName ?? '' };
}

/** A Secret is parsed once, good or bad: the reader hands out the same object as long as its data does not change. */
function createLoader(): LoadKeyPair {
  const loaded = new WeakMap<Secret, Promise<Result<KeyPair>>>();
  const turns = new TurnsByNamespace();
  return async ({ ref, secret }) => {
    if (secret === undefined) return err(`secrets "${showName(ref.name)}" not found`);
    const known = loaded.get(secret) ?? parseKeyPair(secret, ref, turns);
    loaded.set(secret, known);
    return known;
  };
}

/** Error texts as in cert-manager's pkg/util/kube (SecretTLSKeyPairAndCA). */
async function parseKeyPair(secret: Secret, ref: SecretRef, turns: TurnsByNamespace): Promise<Result<KeyPair>> {
  const name = formatSecretRef(ref);
  const [keyPem, certificatePem, caPem] = ['tls.key', 'tls.crt', 'ca.crt'].map(key => readPem(secret, key));
  if (!keyPem) return err(`no private key data for "tls.key" in secret '${name}'`);
  const key = await loadSigningKey(keyPem, turns.of(ref.namespace));
  if (!key.ok) return key;
  if (!certificatePem) return err(`no certificate data for "tls.crt" in secret '${name}'`);
  const certificates = parseCertificates(certificatePem);
  if (!certificates.ok) return certificates;
  const root = caPem ? parseFirstCertificate(caPem) : undefined;
  if (root?.ok === false) return root;
  const certificate = certificates.value[0] as CaCertificate;
  return ok({
    key: key.value,
    certificate,
    chain: await link(key.value, [...certificates.value, ...(root ? [root.value] : [])]),
  });
}

async function link(key: SigningKey, certificates: readonly CaCertificate[]): Promise<Result<IssuerChain>> {
  const [signer] = certificates;
  if (signer === undefined || !key.isKeyOf(signer.spki)) {
    return err("error creating x509 certificate: x509: provided PrivateKey doesn't match parent's PublicKey");
  }
  // cert-manager fails the request for it; but no requester can help a CA whose key is too small to sign.
  if (!key.signatureAlgorithm.ok) return key.signatureAlgorithm;
  return linkIssuerChain(certificates);
}

function observedCa(request: IssuanceRequest, secret: ObservedSecret, pair: Result<KeyPair>): ObservedIssuer {
  return {
    decide: now => decide(request, secret, pair, now),
    topOf(chainPem) {
      const leaf = parseCertificates(chainPem);
      if (!pair.ok || !pair.value.chain.ok || !leaf.ok) return undefined;
      return linksTo(leaf.value, pair.value) ? pair.value.chain.value.topPem : undefined;
    },
  };
}

/** Whether the first certificate was signed by this CA. The key decides: a renewed CA is as good as the first. */
function linksTo([leaf]: readonly CaCertificate[], { certificate }: KeyPair): boolean {
  if (leaf === undefined || !leaf.issuer.equals(certificate.subject)) return false;
  return isValidSignature({ ...leaf.signed, spki: certificate.spki }, 'no sha1');
}

function decide(request: IssuanceRequest, secret: ObservedSecret, pair: Result<KeyPair>, now: Date): IssuerDecision {
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
  const prepared = prepareLocally(request, { key, identity: certificate, urls }, now);
  if (prepared.ok) {
    return {
      kind: 'issue',
      issuance: {
        certificate: prepared.value,
        key,
        complete: pem => completeChain(pem, chain, request.policy),
        unusable,
      },
    };
  }
  const { kind, message } = prepared.error;
  return {
    kind: 'fail',
    reason: 'SigningError',
    message: kind === 'request' ? message : reasons.SigningError.message(message),
  };
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
function judge(secret: ObservedSecret, pair: Result<KeyPair>): Readiness {
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
    secret,
    ends: pair.value.certificate.notAfter,
  };
}
