// Runs an issuer type with one request and one Secret, and returns its decision in one line, or what it signs.

import assert from 'node:assert/strict';
import { readPrivateKeySecretName } from '@countersign/common/annotations.ts';
import { secretNamespace } from '@countersign/common/issuers/issuer.ts';
import { type IssuerSpec, signingSecret } from '@countersign/common/issuers/issuer-types.ts';
import type { SecretRef } from '@countersign/common/secret.ts';
import { parseSignerName } from '@countersign/common/signer-name.ts';
import { toRequestedCertificate } from '@countersign/common/validate-request.ts';
import { type Chain, completeChain } from '@countersign/signer/authority/chain.ts';
import { AS_CERT_MANAGER, type IssuancePolicy } from '@countersign/signer/issuance/issuance-policy.ts';
import { signCertificate } from '@countersign/signer/issuance/sign.ts';
import { createCaIssuer } from '@countersign/signer/issuers/ca.ts';
import type {
  IssuanceRequest,
  IssuerDecision,
  IssuerTypeHandler,
  Readiness,
} from '@countersign/signer/issuers/issuer-type.ts';
import { createSelfSignedIssuer } from '@countersign/signer/issuers/self-signed.ts';
import { buildIssuer, buildSecret, type SecretTexts } from './ca-builder.ts';
import { buildCsr } from './csr-builder.ts';
import { readPki, valueOf } from './pki.ts';

const NOW = new Date('2026-11-24T12:00:00Z');

export interface IssuerKind {
  /** Defaults to cert-manager's behaviour. */
  readonly policy?: Partial<IssuancePolicy>;
  readonly handler: IssuerTypeHandler;
  readonly spec: IssuerSpec;
}

export function caKind(): IssuerKind {
  return { handler: createCaIssuer(), spec: { ca: { secretName: 'my-ca' } } };
}

export function selfSignedKind(): IssuerKind {
  return { handler: createSelfSignedIssuer(), spec: { selfSigned: {} } };
}

/** The PEM of a key in test/vectors/pki. */
export function key(name: string): string {
  return readPki(`keys/${name}`);
}

/** A PEM block with meaningless content. */
export function nonsense(label: string): string {
  return `-----BEGIN ${label}-----\nZm9v\n-----END ${label}-----\n`;
}

/** A request, with the signing material that the issuer loaded for it. */
export interface Observed {
  readonly handler: IssuerTypeHandler;
  readonly request: IssuanceRequest;
  readonly material: unknown;
}

/** `texts` is the only Secret in the cluster, under any name; undefined if there is none. */
export async function observe(
  { handler, spec, policy: demands }: IssuerKind,
  texts?: SecretTexts,
  csr = buildCsr(),
): Promise<Observed> {
  const ref = valueOf(parseSignerName(csr.spec.signerName));
  const issuer = buildIssuer(spec);
  const policy = { ...AS_CERT_MANAGER, ...demands };
  const requested = toRequestedCertificate(csr, policy, { type: handler.type });
  const secret = signingSecret(spec, readPrivateKeySecretName(csr));
  const material =
    secret && (await load(handler, texts, { namespace: secretNamespace(ref, 'countersign'), ...secret }));
  return { handler, request: { requested, ref, issuer, policy }, material };
}

/** The signing material that the handler loads from a Secret. */
export function load(
  handler: IssuerTypeHandler,
  texts: SecretTexts | undefined,
  { namespace, name }: SecretRef = { namespace: 'sandbox', name: 'my-ca' },
): Promise<unknown> {
  return handler.load({ ref: { namespace, name }, secret: texts && buildSecret(texts) });
}

/** The readiness of an issuer of the handler's type with this material. */
export async function readinessOf<M>(handler: IssuerTypeHandler<M>, material: M | undefined): Promise<Readiness> {
  const ref = { kind: 'Issuer', namespace: 'sandbox', name: 'my-ca' } as const;
  const readiness = await handler.readiness({ ref, issuer: buildIssuer({ [handler.type]: {} }), material });
  if (readiness === 'kept-elsewhere') throw new Error('another controller keeps the readiness');
  return readiness;
}

/** `issue`, or `<kind> <reason>: <message>`. */
export async function decideOn(...args: Parameters<typeof observe>): Promise<string> {
  const decision = decide(await observe(...args));
  return decision.kind === 'issue' ? 'issue' : `${decision.kind} ${decision.reason}: ${decision.message}`;
}

export function decide({ handler, request, material }: Observed): IssuerDecision {
  return handler.decide(request, material, NOW);
}

/** The `ca` annotation for a chain stored on the request. */
export function topOf({ handler, request, material }: Observed, chainPem: string): string | undefined {
  const { uid, publicKey } = valueOf(request.requested);
  return handler.topOf(material, { chainPem, uid, publicKey, recordedTop: undefined });
}

/** The chain that an issued request receives. */
export async function signChain(observed: Observed): Promise<Chain> {
  const decision = decide(observed);
  if (decision.kind !== 'issue' || decision.issuance.kind !== 'local') return assert.fail(JSON.stringify(decision));
  const { certificate, key: signingKey, authority } = decision.issuance;
  return completeChain(valueOf(await signCertificate(certificate, signingKey)).pem, authority);
}
