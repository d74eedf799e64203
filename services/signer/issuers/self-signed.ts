// Issuers of type SelfSigned: each certificate is signed with the key of its own request, from a Secret that the request's
// annotation names. The Secret may come later; one that holds another key fails the request.

import { readPrivateKeySecretName } from '@countersign/common/annotations.ts';
import { secretNamespace } from '@countersign/common/issuer.ts';
import { parsePkcs10 } from '@countersign/common/pkcs10.ts';
import { type Reason, reasons } from '@countersign/common/reasons.ts';
import { err, type Result } from '@countersign/common/result.ts';
import { selfSignedChain } from '../issuance/chain.ts';
import type { IssuerUrls } from '../issuance/profile.ts';
import { loadSigningKey, type SigningKey } from '../issuance/signing-key.ts';
import { TurnsByNamespace } from '../issuance/turns.ts';
import { formatSecretRef } from '../secret-reader.ts';
import type { IssuanceRequest, IssuerDecision, IssuerTypeHandler, ObservedSecret, SecretWait } from './issuer-type.ts';
import { waitForUrls } from './issuer-urls.ts';
import { prepareLocally } from './local-issuance.ts';
import { explained, observeSecret, readPem } from './observe-secret.ts';

export function createSelfSignedIssuer(turns = new TurnsByNamespace()): IssuerTypeHandler {
  return {
    type: 'selfSigned',
    reasons: {
      issuedMessage: reasons.CertificateIssued.selfSigned(),
      signingFailed: 'ErrorSigning',
      updateFailed: 'ErrorUpdate',
    },
    async observe(deps, request) {
      const name = readPrivateKeySecretName(request.csr);
      const namespace = secretNamespace(request.ref, deps.clusterResourceNamespace);
      const secret = name && (await observeSecret(deps, { namespace, name }, 'ErrorGettingSecret'));
      const key = secret ? await loadKey(secret, turns) : undefined;
      return {
        decide: now =>
          secret && key
            ? decide(request, { secret, key }, now)
            : fail('MissingAnnotation', reasons.MissingAnnotation.message()),
        topOf: chainPem => chainPem,
      };
    },
    readiness: async () => ({ condition: { status: 'True', reason: 'IsReady', message: '' }, events: [] }),
  };
}

interface ObservedKey {
  readonly secret: ObservedSecret;
  readonly key: Result<SigningKey>;
}

function decide(request: IssuanceRequest, { secret, key }: ObservedKey, now: Date): IssuerDecision {
  const name = formatSecretRef(secret.ref);
  if (secret.secret === undefined) {
    return { kind: 'wait', reason: 'SecretNotFound', message: reasons.SecretNotFound.message(name), secret };
  }
  if (!key.ok) return waitForKey(secret, key.error);
  return waitForUrls(request, urlsOf(request), secret) ?? decideWithKey(request, { secret, key: key.value }, now);
}

function waitForKey(secret: ObservedSecret, problem: string): SecretWait {
  const message = reasons.ErrorParsingKey.message(formatSecretRef(secret.ref), problem);
  return { kind: 'wait', reason: 'ErrorParsingKey', message, secret };
}

function urlsOf({ issuer }: IssuanceRequest): IssuerUrls {
  const { crlDistributionPoints = [] } = issuer.spec.selfSigned ?? {};
  return { crlDistributionPoints, ocspServers: [], issuingCertificateUrls: [] };
}

async function loadKey({ ref, secret }: ObservedSecret, turns: TurnsByNamespace): Promise<Result<SigningKey>> {
  const pem = secret && readPem(secret, 'tls.key');
  return pem
    ? explained(await loadSigningKey(pem, turns.of(ref.namespace)), pem, 'private key')
    : err(`no data for "tls.key" in secret '${formatSecretRef(ref)}'`);
}

function decideWithKey(
  request: IssuanceRequest,
  { secret, key }: { readonly secret: ObservedSecret; readonly key: SigningKey },
  now: Date,
): IssuerDecision {
  const prepared = prepareLocally(request, { key, identity: undefined, urls: urlsOf(request), constrained: [] }, now);
  if (!prepared.ok && prepared.error.kind === 'request') return fail('ErrorGenerating', prepared.error.message);
  const pkcs10 = parsePkcs10(request.csr.spec.request);
  if (!pkcs10.ok || !key.isKeyOf(pkcs10.value.spki)) {
    return fail('ErrorKeyMatch', reasons.ErrorKeyMatch.message());
  }
  if (!prepared.ok) return fail('ErrorSigning', reasons.ErrorSigning.message(prepared.error.message));
  const unusable = (problem: string) => waitForKey(secret, problem);
  return { kind: 'issue', issuance: { certificate: prepared.value, key, complete: selfSignedChain, unusable } };
}

function fail(reason: Reason, message: string): IssuerDecision {
  return { kind: 'fail', reason, message };
}
