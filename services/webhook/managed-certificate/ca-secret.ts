// The Secret in which the replicas share their CAs: reads it, and writes it on the version that was read, so that of two
// replicas one gets through. Never creates it: who may create one Secret of a namespace may create any, and so obtain a token of
// another ServiceAccount.

import type { ObjectMeta } from '@countersign/common/csr.ts';
import { TerminalError } from '@countersign/common/runtime/errors.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import { type CaState, encodeState } from './ca-state.ts';

export interface SecretName {
  readonly namespace: string;
  readonly name: string;
}

/** Whatever else is in it is kept as it is. */
export interface CaSecret {
  readonly metadata: ObjectMeta;
  readonly data?: Readonly<Record<string, string>>;
  readonly immutable?: boolean;
}

/** The Secret cannot hold the CAs until somebody has replaced it. The message says what to do. */
export class CaSecretError extends Error {
  override readonly name = 'CaSecretError';
}

export const WAY_OUT = '"helm upgrade" of the release, or its manifests applied again, brings it back';

export class CaSecretStore {
  readonly #client: Pick<KubeClient, 'get' | 'update'>;
  readonly #secret: SecretName;
  readonly #path: string;

  constructor(client: Pick<KubeClient, 'get' | 'update'>, secret: SecretName) {
    this.#client = client;
    this.#secret = secret;
    const [namespace, name] = [secret.namespace, secret.name].map(encodeURIComponent);
    this.#path = `/api/v1/namespaces/${namespace}/secrets/${name}`;
  }

  /** undefined if there is none. */
  read(): Promise<CaSecret | undefined> {
    return this.#client.get<CaSecret>(this.#path);
  }

  /** Rejects with CaSecretError where trying again cannot help. */
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
    return new CaSecretError(`Secret ${namespace}/${name} does not exist; ${WAY_OUT}`);
  }

  #unwritable({ immutable }: CaSecret, cause: TerminalError): CaSecretError {
    const { namespace, name } = this.#secret;
    const remedy = `delete it ("kubectl delete secret -n ${namespace} ${name}"); then ${WAY_OUT}`;
    const why = immutable === true ? 'it is immutable' : cause.message;
    const text = `Secret ${namespace}/${name} cannot be updated with the webhook's CA (${why}): ${remedy}`;
    return new CaSecretError(text, { cause });
  }
}
