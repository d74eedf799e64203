// The certificate that the webhook serves with, from files or from a Secret, read again every few seconds and exchanged when
// its content changes. A new one that cannot be used never replaces one that can: it is logged and counted.

import { createHash, type X509Certificate } from 'node:crypto';
import { pause } from '@countersign/common/runtime/backoff.ts';
import { readPemFile } from '@countersign/common/runtime/credentials/pem-material.ts';
import { asClassifiedError } from '@countersign/common/runtime/errors.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { Logger } from '@countersign/common/runtime/process/log.ts';
import type { WebhookMetrics } from '../metrics.ts';
import { checkKeyPair } from './check-key-pair.ts';

/** PEM: the certificate first, then its chain; and its private key. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
  /** The CA certificates that the callers' certificates must come from; absent: callers need none. */
  readonly ca?: string;
  /** Where each of them is, for messages. */
  readonly names?: Readonly<Partial<Record<'cert' | 'key' | 'ca', string>>>;
}

/** What a source has to serve with, although there may be a problem that an administrator has to solve. */
export interface OfferedKeyPair extends KeyPair {
  readonly problem?: Error;
}

/** Reads both as they are now; rejects when they cannot be read. */
export type KeyPairSource = () => Promise<OfferedKeyPair>;

export function readFromFiles(certFile: string, keyFile: string): KeyPairSource {
  return async () => {
    const [cert, key] = await Promise.all([readPemFile(certFile), readPemFile(keyFile)]);
    return { cert, key, names: { cert: certFile, key: keyFile } };
  };
}

/** The same with the CA of the callers, so that a change of either is a change of the whole. */
export function withClientCa(source: KeyPairSource, clientCaFile: string): KeyPairSource {
  return async () => {
    const pair = await source();
    return { ...pair, ca: await readPemFile(clientCaFile), names: { ...pair.names, ca: clientCaFile } };
  };
}

/** A Secret of type kubernetes.io/tls. */
export function readFromSecret(client: Pick<KubeClient, 'get'>, namespace: string, name: string): KeyPairSource {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(name)}`;
  return async () => {
    const secret = await client.get<{ data?: Record<string, string> }>(path);
    if (secret === undefined) throw new Error(`Secret ${namespace}/${name} does not exist`);
    const entry = (field: string) => Buffer.from(secret.data?.[field] ?? '', 'base64').toString('latin1');
    const nameOf = (field: string) => `${field} in Secret ${namespace}/${name}`;
    const names = { cert: nameOf('tls.crt'), key: nameOf('tls.key') };
    return { cert: entry('tls.crt'), key: entry('tls.key'), names };
  };
}

export interface ServingCertificateOptions {
  readonly source: KeyPairSource;
  readonly log: Logger;
  readonly metrics: WebhookMetrics;
  readonly intervalMs?: number;
  readonly now?: () => Date;
}

const INTERVAL_MS = 5_000;

/** A certificate that was just made begins now by another's clock, and it is the API server's that counts. */
const MAX_SKEW_MS = 300_000;

export class ServingCertificate {
  readonly #options: ServingCertificateOptions;
  /** Hash of the pair in use. */
  #inUse = '';
  /** What was wrong last, and with which content: what was said once is not repeated. */
  #lastSaid = '';
  #ends: Date | undefined;

  constructor(options: ServingCertificateOptions) {
    this.#options = options;
  }

  /** The reasons why this certificate cannot be served with; empty when it can. */
  problems(now: Date): string[] {
    if (this.#ends === undefined) return ['serving certificate: not loaded yet'];
    return this.#ends > now ? [] : [`serving certificate: ended ${this.#ends.toISOString()}`];
  }

  /** Reads until there is a usable certificate; undefined when the signal comes first. */
  async waitForFirst(signal: AbortSignal): Promise<KeyPair | undefined> {
    while (!signal.aborted) {
      const pair = await this.check();
      if (pair !== undefined) return pair;
      await this.#pause(signal);
    }
    return undefined;
  }

  /** Calls `use` with every new usable certificate, until the signal. */
  async follow(signal: AbortSignal, use: (pair: KeyPair) => void): Promise<void> {
    await this.#pause(signal);
    while (!signal.aborted) {
      const pair = await this.check();
      if (pair !== undefined) use(pair);
      await this.#pause(signal);
    }
  }

  #pause(signal: AbortSignal): Promise<void> {
    return pause(this.#options.intervalMs ?? INTERVAL_MS, signal);
  }

  /** Reads once; gives the pair if it is new and usable. Never rejects. */
  async check(): Promise<KeyPair | undefined> {
    let seen = 'unreadable';
    try {
      const { problem, ...pair } = await this.#options.source();
      seen = hashOf(pair);
      // One that was refused is looked at again: the clock may have been wrong.
      const certificate = seen === this.#inUse ? undefined : this.#parse(pair);
      this.#noteProblem(problem);
      if (certificate === undefined) return undefined;
      this.#inUse = seen;
      this.#ends = certificate.validToDate;
      this.#sayLoaded(certificate);
      return pair;
    } catch (error) {
      this.#sayWhatIsWrong(seen, error);
      return undefined;
    }
  }

  /** One that has not begun waits as long as another still serves, and is better than none. */
  #parse(pair: KeyPair): X509Certificate {
    const now = this.#options.now?.() ?? new Date();
    const certificate = checkKeyPair(pair, now);
    const isEarly = certificate.validFromDate.getTime() > now.getTime() + MAX_SKEW_MS;
    if (isEarly && this.#ends !== undefined && this.#ends > now) {
      throw new Error(`the certificate begins ${certificate.validFrom}`);
    }
    return certificate;
  }

  #sayLoaded({ subject, serialNumber: serial, validToDate: notAfter }: X509Certificate): void {
    this.#options.metrics.countReload('loaded', notAfter);
    this.#options.log.info({ subject, serial, notAfter }, 'serving certificate loaded');
  }

  /** Counted like a certificate that cannot be read, so that the same alert tells of it. */
  #noteProblem(problem: Error | undefined): void {
    if (problem === undefined) {
      this.#lastSaid = '';
      return;
    }
    this.#options.metrics.countReload('unreadable');
    if (!this.#isNew(problem.message)) return;
    this.#options.log.error({ err: asClassifiedError(problem) }, 'serving with a CA that is not in its Secret');
  }

  #sayWhatIsWrong(seen: string, error: unknown): void {
    const result = seen === 'unreadable' ? 'unreadable' : 'invalid';
    this.#options.metrics.countReload(result);
    if (!this.#isNew(`${seen} ${String(error)}`)) return;
    // Without a stack: a file or Secret in the middle of its replacement is no mistake in the program.
    const err = asClassifiedError(error);
    this.#options.log.error({ err, result, keepsOld: this.#ends !== undefined }, 'serving certificate not usable');
  }

  #isNew(text: string): boolean {
    if (text === this.#lastSaid) return false;
    this.#lastSaid = text;
    return true;
  }
}

function hashOf({ cert, key, ca = '' }: KeyPair): string {
  return createHash('sha256').update([cert, key, ca].join('\0')).digest('hex');
}
