// One request and one state of a Secret, put to an issuer's type: what it decides, in one line, and what it signs.

import assert from 'node:assert/strict';
import type { IssuerSpec } from '@countersign/common/issuer.ts';
import { parseSignerName } from '@countersign/common/signer-name.ts';
import type { Chain } from '@countersign/signer/issuance/chain.ts';
import { AS_CERT_MANAGER, type IssuancePolicy } from '@countersign/signer/issuance/issuance-policy.ts';
import { signCertificate } from '@countersign/signer/issuance/sign.ts';
import { createCaIssuer } from '@countersign/signer/issuers/ca.ts';
import type {
  IssuerDecision,
  IssuerDeps,
  IssuerTypeHandler,
  ObservedIssuer,
} from '@countersign/signer/issuers/issuer-type.ts';
import { createSelfSignedIssuer } from '@countersign/signer/issuers/self-signed.ts';
import { buildIssuer, buildSecret, type SecretTexts } from './ca-builder.ts';
import { buildCsr } from './csr-builder.ts';
import { readPki, valueOf } from './pki.ts';

const NOW = new Date('2026-11-24T12:00:00Z');

export interface IssuerKind {
  /** As cert-manager, unless given. */
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

/** The PEM of a key of test/vectors/pki. */
export function key(name: string): string {
  return readPki(`keys/${name}`);
}

/** A PEM block whose content is nothing of the kind. */
export function nonsense(label: string): string {
  return `-----BEGIN ${label}-----\nZm9v\n-----END ${label}-----\n`;
}

/** A cluster whose one Secret is this, whatever its name; undefined for none. */
export function depsWith(texts: SecretTexts | undefined): IssuerDeps {
  const secret = texts && buildSecret(texts);
  return { readSecret: async () => secret, clusterResourceNamespace: 'countersign' };
}

export function observe(
  { handler, spec, policy }: IssuerKind,
  texts?: SecretTexts,
  csr = buildCsr(),
): Promise<ObservedIssuer> {
  const ref = valueOf(parseSignerName(csr.spec.signerName));
  return handler.observe(depsWith(texts), {
    csr,
    ref,
    issuer: buildIssuer(spec),
    policy: { ...AS_CERT_MANAGER, ...policy },
  });
}

/** `issue`, or `<kind> <reason>: <message>`. */
export async function decideOn(...args: Parameters<typeof observe>): Promise<string> {
  const decision = (await observe(...args)).decide(NOW);
  return decision.kind === 'issue' ? 'issue' : `${decision.kind} ${decision.reason}: ${decision.message}`;
}

export function decide(observed: ObservedIssuer): IssuerDecision {
  return observed.decide(NOW);
}

/** What a request that is issued gets. */
export async function signChain(observed: ObservedIssuer): Promise<Chain> {
  const decision = decide(observed);
  if (decision.kind !== 'issue') return assert.fail(JSON.stringify(decision));
  const { certificate, key: signingKey, complete } = decision.issuance;
  return complete(valueOf(await signCertificate(certificate, signingKey)).pem);
}
