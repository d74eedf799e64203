// Reads single values of the Secrets that a Vault issuer names, all in one namespace, with errors that say which Secret
// and which key. Keeps no value.

import type { SecretKeyRef } from '@countersign/common/issuers/vault-spec.ts';
import { formatSecretRef } from '@countersign/common/secret.ts';
import type { ObservedSecret } from '../../secret.ts';
import type { SecretReader } from '../../secret-reader.ts';
import { VaultFault } from './vault-fault.ts';

export interface SecretDeps {
  readonly secrets: Pick<SecretReader, 'read'>;
}

export class SecretValues {
  readonly #deps: SecretDeps;
  readonly #namespace: string;
  /** The Secret that was read last. */
  last: ObservedSecret | undefined;

  constructor(deps: SecretDeps, namespace: string) {
    this.#deps = deps;
    this.#namespace = namespace;
  }

  async read({ name = '', key }: SecretKeyRef, defaultKey: string): Promise<string> {
    const ref = { namespace: this.#namespace, name };
    const observed = { ref, secret: await this.#deps.secrets.read(ref) };
    this.last = observed;
    const shown = formatSecretRef(ref);
    if (observed.secret === undefined) throw new VaultFault('missing', shown, observed);
    const value = observed.secret.data?.[key || defaultKey];
    if (!value) throw new VaultFault('access', `no data for "${key || defaultKey}" in secret '${shown}'`, observed);
    return Buffer.from(value, 'base64').toString();
  }

  async readTrimmed(ref: SecretKeyRef): Promise<string> {
    return (await this.read(ref, 'token')).trim();
  }
}
