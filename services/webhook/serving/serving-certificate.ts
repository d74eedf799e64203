// The serving certificate, from files or a Secret, checked every few seconds and reloaded when its content changes. An
// unusable certificate never replaces a usable one: it is logged and counted.

import { createHash, type X509Certificate } from 'node:crypto';
import { pause } from '@countersign/common/runtime/backoff.ts';
import { readPemFile } from '@countersign/common/runtime/credentials/pem-material.ts';
import { asClassifiedError } from '@countersign/common/runtime/errors.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { Logger } from '@countersign/common/runtime/process/log.ts';
import { type Secret, secretPath } from '@countersign/common/secret.ts';
import type { WebhookMetrics } from '../metrics.ts';
import { checkKeyPair } from './check-key-pair.ts';

/** PEM: the certificate followed by its chain, and the private key. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
  /** The CA certificates that client certificates must come from; if absent, callers need no certificate. */
  readonly ca?: string;
  /** Where each of these comes from, for error messages. */
  readonly names?: Readonly<Partial<Record<'cert' | 'key' | 'ca', string>>>;
}

/** A usable key pair, possibly with a problem that an administrator has to fix. */
export interface OfferedKeyPair extends KeyPair {
  readonly problem?: Error;
}

/** Reads the current key pair; rejects if it cannot be read. */
export type KeyPairSource = () => Promise<OfferedKeyPair>;

export function readFromFiles(certFile: string, keyFile: string): KeyPairSource {
  return async () => {
    const [cert, key] = await readBoth(
      readPemFile(certFile, '--tls-cert-file'),
      readPemFile(keyFile, '--tls-key-file'),
    );
    return { cert, key, names: { cert: certFile, key: keyFile } };
  };
}

/** Rejects with the reasons of both if neither can be read. */
async function readBoth<A, B>(first: Promise<A>, second: Promise<B>): Promise<readonly [A, B]> {
  const settled = await Promise.allSettled([first, second]);
  const reasons = settled.flatMap(outcome =>
    outcome.status === 'rejected' ? [asClassifiedError(outcome.reason)] : [],
  );
  if (reasons.length > 1) throw new Error(reasons.map(({ message }) => message).join('; '), { cause: reasons });
  return Promise.all([first, second]);
}

/** Adds the client CA, so that a change to either triggers a reload. */
export function withClientCa(source: KeyPairSource, clientCaFile: string): KeyPairSource {
  return async () => {
    const [pair, ca] = await readBoth(source(), readPemFile(clientCaFile, '--client-ca-file'));
    return { ...pair, ca, names: { ...pair.names, ca: clientCaFile } };
  };
}

/** A Secret of type kubernetes.io/tls. */
export function readFromSecret(client: Pick<KubeClient, 'get'>, namespace: string, name: string): KeyPairSource {
  const path = secretPath({ namespace, name });
  return async () => {
    const secret = await client.get<Secret>(path);
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

/** A certificate that was just issued starts now by another machine's clock, and the API server's clock decides. */
const MAX_SKEW_MS = 300_000;

export class ServingCertificate {
  readonly #options: ServingCertificateOptions;
  /** Hash of the key pair in use. */
  #inUse = '';
  /** The last problem logged and the hash of its key pair, so that it is logged only once. */
  #lastLogged = '';
  #notAfter: Date | undefined;

  constructor(options: ServingCertificateOptions) {
    this.#options = options;
  }

  /** Why the certificate cannot be served; empty if it can. */
  problems(now: Date): string[] {
    if (this.#notAfter === undefined) return ['serving certificate: not loaded yet'];
    return this.#notAfter > now ? [] : [`serving certificate: expired at ${this.#notAfter.toISOString()}`];
  }

  /** Polls until there is a usable certificate; undefined if the signal is aborted first. */
  async waitForFirst(signal: AbortSignal): Promise<KeyPair | undefined> {
    while (!signal.aborted) {
      const pair = await this.check();
      if (pair !== undefined) return pair;
      await this.#pause(signal);
    }
    return undefined;
  }

  /** Calls `use` with every new usable certificate until the signal is aborted. */
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

  /** Reads once; returns the key pair if it is new and usable. Never rejects. */
  async check(): Promise<KeyPair | undefined> {
    let seen = 'unreadable';
    try {
      const { problem, ...pair } = await this.#options.source();
      seen = hashOf(pair);
      // A rejected certificate is checked again: the clock may have been wrong.
      const certificate = seen === this.#inUse ? undefined : this.#parse(pair);
      this.#noteProblem(problem);
      if (certificate === undefined) return undefined;
      this.#inUse = seen;
      this.#notAfter = certificate.validToDate;
      this.#reportLoaded(certificate);
      return pair;
    } catch (error) {
      this.#reportFailure(seen, error);
      return undefined;
    }
  }

  /** A certificate that is not valid yet is rejected while the current one is still valid, but is better than none. */
  #parse(pair: KeyPair): X509Certificate {
    const now = this.#options.now?.() ?? new Date();
    const certificate = checkKeyPair(pair, now);
    const isEarly = certificate.validFromDate.getTime() > now.getTime() + MAX_SKEW_MS;
    if (isEarly && this.#notAfter !== undefined && this.#notAfter > now) {
      throw new Error(`the certificate is not valid before ${certificate.validFrom}`);
    }
    return certificate;
  }

  #reportLoaded({ subject, serialNumber: serial, validToDate: notAfter }: X509Certificate): void {
    this.#options.metrics.countReload('loaded', notAfter);
    this.#options.log.info({ subject, serial, notAfter }, 'serving certificate loaded');
  }

  /** Counted as an unreadable certificate, so that the same alert fires. */
  #noteProblem(problem: Error | undefined): void {
    if (problem === undefined) {
      this.#lastLogged = '';
      return;
    }
    this.#options.metrics.countReload('unreadable');
    if (!this.#isNew(problem.message)) return;
    this.#options.log.error({ err: asClassifiedError(problem) }, 'serving with a CA that is not stored in its Secret');
  }

  #reportFailure(seen: string, error: unknown): void {
    const result = seen === 'unreadable' ? 'unreadable' : 'invalid';
    this.#options.metrics.countReload(result);
    if (!this.#isNew(`${seen} ${String(error)}`)) return;
    // No stack trace: a file or Secret that is just being replaced is not a bug.
    const err = asClassifiedError(error);
    this.#options.log.error({ err, result, keepsOld: this.#notAfter !== undefined }, 'cannot use serving certificate');
  }

  #isNew(text: string): boolean {
    if (text === this.#lastLogged) return false;
    this.#lastLogged = text;
    return true;
  }
}

function hashOf({ cert, key, ca = '' }: KeyPair): string {
  return createHash('sha256').update([cert, key, ca].join('\0')).digest('hex');
}
