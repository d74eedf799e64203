// Reads what an issuer signs with, for readiness and trust bundles alike. Keeps nothing.

import { type Issuer, secretNamespace } from '@countersign/common/issuers/issuer.ts';
import { issuerTypes, signingSecret } from '@countersign/common/issuers/issuer-types.ts';
import type { IssuerRef } from '@countersign/common/signer-name.ts';
import type { IssuerTypeHandler } from '../issuers/issuer-type.ts';
import { observeSecret } from '../issuers/observe-secret.ts';
import type { SigningSettings } from '../observe.ts';
import type { ObservedSecret } from '../secret.ts';
import type { SecretReader } from '../secret-reader.ts';

export interface IssuerMaterialDeps {
  readonly secrets: Pick<SecretReader, 'read'>;
  readonly settings: Pick<SigningSettings, 'clusterResourceNamespace'>;
}

/** An issuer of a type that is signed with here. */
export interface KnownIssuer {
  readonly ref: IssuerRef;
  readonly issuer: Issuer;
  readonly handler: IssuerTypeHandler;
}

/** The Secret of the issuer; undefined where it has none of its own. */
export async function readIssuerSecret(
  { secrets, settings }: IssuerMaterialDeps,
  { ref, issuer, handler }: KnownIssuer,
): Promise<ObservedSecret | undefined> {
  const secret = signingSecret(issuer.spec, undefined);
  if (secret === undefined) return undefined;
  const at = { namespace: secretNamespace(ref, settings.clusterResourceNamespace), name: secret.name };
  return observeSecret(secrets.read(at), at, issuerTypes[handler.type].reasons.secretReadFailed);
}
