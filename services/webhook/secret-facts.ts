// What a warning needs to know of a Secret: whether it exists, and until when the certificate in it is valid. Reads by name,
// each at most once a second, and keeps these facts alone: never a key, never the Secret itself.

import { X509Certificate } from 'node:crypto';
import { isObjectName } from '@countersign/common/object-name.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import { within } from './deadline.ts';

export interface SecretRef {
  readonly namespace: string;
  readonly name: string;
}

/** `certificateEnds`: notAfter of the first certificate in `tls.crt`; undefined if there is none that can be read. */
export type SecretFacts = { readonly exists: false } | { readonly exists: true; readonly certificateEnds?: Date };

interface SecretData {
  readonly data?: Readonly<Record<string, string>>;
}

interface Copy {
  readonly readAt: number;
  readonly facts: Promise<SecretFacts | undefined>;
}

const MAX_AGE_MS = 1_000;

export class SecretFactsReader {
  readonly #client: Pick<KubeClient, 'get'>;
  readonly #timeoutMs: number;
  readonly #copies = new Map<string, Copy>();

  constructor(client: Pick<KubeClient, 'get'>, timeoutMs: number) {
    this.#client = client;
    this.#timeoutMs = timeoutMs;
  }

  /** Undefined when it cannot be told, or not soon enough: we may have no right to read it. Never rejects. */
  read({ namespace, name }: SecretRef): Promise<SecretFacts | undefined> {
    // The name comes from a requester: `..` and the like must never become part of a path.
    if (!isObjectName(name)) return Promise.resolve({ exists: false });
    this.#forgetOldCopies();
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${name}`;
    const copy = this.#copies.get(path) ?? { readAt: performance.now(), facts: this.#fetch(path) };
    this.#copies.set(path, copy);
    return copy.facts;
  }

  #fetch(path: string): Promise<SecretFacts | undefined> {
    const read = this.#client.get<SecretData>(path, AbortSignal.timeout(this.#timeoutMs));
    return within(this.#timeoutMs, read).then(factsOf, () => undefined);
  }

  /** A map keeps the order of insertion: behind the first young copy all are young. */
  #forgetOldCopies(): void {
    const oldest = performance.now() - MAX_AGE_MS;
    for (const [path, { readAt }] of this.#copies) {
      if (readAt > oldest) return;
      this.#copies.delete(path);
    }
  }
}

function factsOf(secret: SecretData | undefined): SecretFacts {
  if (secret === undefined) return { exists: false };
  const certificateEnds = endOf(Buffer.from(secret.data?.['tls.crt'] ?? '', 'base64'));
  return certificateEnds === undefined ? { exists: true } : { exists: true, certificateEnds };
}

function endOf(pem: Buffer): Date | undefined {
  try {
    return new X509Certificate(pem).validToDate;
  } catch {
    // What is wrong with the certificate is the issuer's trouble; here there is only nothing to say.
    return undefined;
  }
}
