// Reads what a warning needs to know about a Secret: whether it exists, and when its certificate expires. Reads each
// Secret by name at most once a second, and caches only these facts: never a key, never the Secret itself.

import { X509Certificate } from 'node:crypto';
import { isObjectName } from '@countersign/common/object-name.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import { within } from './deadline.ts';

export interface SecretRef {
  readonly namespace: string;
  readonly name: string;
}

/**
 * `certificateExpiry`: notAfter of the first certificate in `tls.crt`; undefined if there is no readable certificate.
 */
export type SecretFacts = { readonly exists: false } | { readonly exists: true; readonly certificateExpiry?: Date };

interface SecretData {
  readonly data?: Readonly<Record<string, string>>;
}

interface CachedRead {
  readonly readAt: number;
  readonly facts: Promise<SecretFacts | undefined>;
}

const MAX_AGE_MS = 1_000;

export class SecretFactsReader {
  readonly #client: Pick<KubeClient, 'get'>;
  readonly #timeoutMs: number;
  readonly #cache = new Map<string, CachedRead>();

  constructor(client: Pick<KubeClient, 'get'>, timeoutMs: number) {
    this.#client = client;
    this.#timeoutMs = timeoutMs;
  }

  /** Undefined if the Secret cannot be read, or not in time; the webhook may lack the permission. Never rejects. */
  read({ namespace, name }: SecretRef): Promise<SecretFacts | undefined> {
    // The requester may choose the name: `..` and the like must never become part of a path.
    if (!isObjectName(name)) return Promise.resolve({ exists: false });
    this.#evictExpired();
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${name}`;
    const cached = this.#cache.get(path) ?? { readAt: performance.now(), facts: this.#fetch(path) };
    this.#cache.set(path, cached);
    return cached.facts;
  }

  #fetch(path: string): Promise<SecretFacts | undefined> {
    const read = this.#client.get<SecretData>(path, AbortSignal.timeout(this.#timeoutMs));
    return within(this.#timeoutMs, read).then(factsOf, () => undefined);
  }

  /** A map keeps insertion order, so that all entries after the first fresh one are fresh. */
  #evictExpired(): void {
    const oldest = performance.now() - MAX_AGE_MS;
    for (const [path, { readAt }] of this.#cache) {
      if (readAt > oldest) return;
      this.#cache.delete(path);
    }
  }
}

function factsOf(secret: SecretData | undefined): SecretFacts {
  if (secret === undefined) return { exists: false };
  const certificateExpiry = expiryOf(Buffer.from(secret.data?.['tls.crt'] ?? '', 'base64'));
  return certificateExpiry === undefined ? { exists: true } : { exists: true, certificateExpiry };
}

function expiryOf(pem: Buffer): Date | undefined {
  try {
    return new X509Certificate(pem).validToDate;
  } catch {
    // The signer reports an unreadable certificate; here there is just no expiry to warn about.
    return undefined;
  }
}
