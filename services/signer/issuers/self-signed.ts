// Issuers of type SelfSigned: each certificate is signed with the key of its own request, from a Secret that the request's
// annotation names. The Secret may come later; one that holds another key fails the request.

import { readPrivateKeySecretName } from '@countersign/common/annotations.ts';
import { secretNamespace } from '@countersign/common/issuer.ts';
import { parsePkcs10 } from '@countersign/common/pkcs10.ts';
import { type Reason, reasons } from '@countersign/common/reasons.ts';
import { err, type Result } from '@countersign/common/result.ts';
import { selfSignedChain } from '../issuance/chain.ts';
import type { IssuerUrls } from '../issuance/profile.ts';
import { parseSigningKey, type SigningKey } from '../issuance/signing-key.ts';
import { formatSecretRef } from '../secret-reader.ts';
import type { IssuanceRequest, IssuerDecision, IssuerTypeHandler, ObservedSecret } from './issuer-type.ts';
import { waitForUrls } from './issuer-urls.ts';
import { prepareLocally } from './local-issuance.ts';
import { observeSecret, readPem } from './observe-secret.ts';

export function createSelfSignedIssuer(): IssuerTypeHandler {
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
      return {
        decide: now =>
          secret ? decide(request, secret, now) : fail('MissingAnnotation', reasons.MissingAnnotation.message()),
        topOf: chainPem => chainPem,
      };
    },
    readiness: async () => ({ condition: { status: 'True', reason: 'IsReady', message: '' }, events: [] }),
  };
}

function decide(request: IssuanceRequest, secret: ObservedSecret, now: Date): IssuerDecision {
  const name = formatSecretRef(secret.ref);
  if (secret.secret === undefined) {
    return { kind: 'wait', reason: 'SecretNotFound', message: reasons.SecretNotFound.message(name), secret };
  }
  const key = parseKey(secret);
  if (!key.ok) {
    return {
      kind: 'wait',
      reason: 'ErrorParsingKey',
      message: reasons.ErrorParsingKey.message(name, key.error),
      secret,
    };
  }
  return waitForUrls(request, urlsOf(request), secret) ?? decideWithKey(request, key.value, now);
}

function urlsOf({ issuer }: IssuanceRequest): IssuerUrls {
  const { crlDistributionPoints = [] } = issuer.spec.selfSigned ?? {};
  return { crlDistributionPoints, ocspServers: [], issuingCertificateUrls: [] };
}

function parseKey({ ref, secret }: ObservedSecret): Result<SigningKey> {
  const pem = secret && readPem(secret, 'tls.key');
  return pem ? parseSigningKey(pem) : err(`no data for "tls.key" in secret '${formatSecretRef(ref)}'`);
}

function decideWithKey(request: IssuanceRequest, key: SigningKey, now: Date): IssuerDecision {
  const prepared = prepareLocally(request, { key, identity: undefined, urls: urlsOf(request) }, now);
  if (!prepared.ok && prepared.error.kind === 'request') return fail('ErrorGenerating', prepared.error.message);
  const pkcs10 = parsePkcs10(request.csr.spec.request);
  if (!pkcs10.ok || !key.isKeyOf(pkcs10.value.spki)) {
    return fail('ErrorKeyMatch', reasons.ErrorKeyMatch.message());
  }
  if (!prepared.ok) return fail('ErrorSigning', reasons.ErrorSigning.message(prepared.error.message));
  return { kind: 'issue', issuance: { certificate: prepared.value, key, complete: selfSignedChain } };
}

function fail(reason: Reason, message: string): IssuerDecision {
  return { kind: 'fail', reason, message };
}
