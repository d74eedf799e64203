// Reads and updates the Secret in which the replicas share their CAs. Updates carry the resourceVersion that was read,
// so that only one of two concurrent writers succeeds. Never creates the Secret: permission to create one Secret in a
// namespace is permission to create any, and so to obtain a token of another ServiceAccount.

import { TerminalError } from '@countersign/common/runtime/errors.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import { type Secret, type SecretRef, secretPath } from '@countersign/common/secret.ts';
import { type CaState, encodeState } from './ca-state.ts';

/** All other fields are kept unchanged. */
export interface CaSecret extends Secret {
  readonly immutable?: boolean;
}

/** The Secret cannot store the CAs until an administrator replaces it. The message says what to do. */
export class CaSecretError extends Error {
  override readonly name = 'CaSecretError';
}

export const RECREATE_HINT = 'run "helm upgrade" or reapply the manifests to recreate it';

export class CaSecretStore {
  readonly #client: Pick<KubeClient, 'get' | 'update'>;
  readonly #secret: SecretRef;
  readonly #path: string;

  constructor(client: Pick<KubeClient, 'get' | 'update'>, secret: SecretRef) {
    this.#client = client;
    this.#secret = secret;
    this.#path = secretPath(secret);
  }

  /** undefined if the Secret does not exist. */
  read(): Promise<CaSecret | undefined> {
    return this.#client.get<CaSecret>(this.#path);
  }

  /** Rejects with CaSecretError if a retry cannot succeed. */
  async write(found: CaSecret | undefined, state: CaState): Promise<CaSecret> {
    if (found === undefined) throw this.#missing();
    try {
      return await this.#client.update<CaSecret>(this.#path, { ...found, data: encodeState(state) });
    } catch (error) {
      if (!(error instanceof TerminalError)) throw error;
      throw error.code === 'not-found' ? this.#missing() : this.#unwritable(found, error);
    }
  }

  #missing(): CaSecretError {
    const { namespace, name } = this.#secret;
    return new CaSecretError(`Secret ${namespace}/${name} does not exist; ${RECREATE_HINT}`);
  }

  #unwritable({ immutable }: CaSecret, cause: TerminalError): CaSecretError {
    const { namespace, name } = this.#secret;
    const remedy = `delete it ("kubectl delete secret -n ${namespace} ${name}"), then ${RECREATE_HINT}`;
    const why = immutable === true ? 'it is immutable' : cause.message;
    const text = `Secret ${namespace}/${name} cannot be updated with the webhook's CA (${why}): ${remedy}`;
    return new CaSecretError(text, { cause });
  }
}
