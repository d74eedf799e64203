// Reads what a warning needs to know about a Secret: whether it exists, and when its certificate expires. Reads each
// Secret by name at most once a second, and caches only these facts: never a key, never the Secret itself, as the
// signer's reader does.

import { X509Certificate } from 'node:crypto';
import { isObjectName } from '@countersign/common/object-name.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import { readSecret } from '@countersign/common/runtime/kube/read-secret.ts';
import { SharedAnswers } from '@countersign/common/runtime/shared-answers.ts';
import { type Secret, type SecretRef, secretPath } from '@countersign/common/secret.ts';
import { within } from './deadline.ts';

/**
 * `certificateExpiry`: notAfter of the first certificate in `tls.crt`; undefined if there is no readable certificate.
 */
export type SecretFacts = { readonly exists: false } | { readonly exists: true; readonly certificateExpiry?: Date };

const MAX_AGE_MS = 1_000;

export class SecretFactsReader {
  readonly #client: Pick<KubeClient, 'get'>;
  readonly #timeoutMs: number;
  readonly #known = new SharedAnswers<SecretFacts | undefined>(MAX_AGE_MS);

  constructor(client: Pick<KubeClient, 'get'>, timeoutMs: number) {
    this.#client = client;
    this.#timeoutMs = timeoutMs;
  }

  /** Undefined if the Secret cannot be read, or not in time; the webhook may lack the permission. Never rejects. */
  async read(ref: SecretRef): Promise<SecretFacts | undefined> {
    // The requester may choose the name, and its length.
    if (!isObjectName(ref.name)) return { exists: false };
    return this.#known.find(secretPath(ref), () => this.#fetch(ref));
  }

  #fetch(ref: SecretRef): Promise<SecretFacts | undefined> {
    const read = readSecret(this.#client, ref, AbortSignal.timeout(this.#timeoutMs));
    return within(this.#timeoutMs, read).then(factsOf, () => undefined);
  }
}

function factsOf(secret: Secret | undefined): SecretFacts {
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
