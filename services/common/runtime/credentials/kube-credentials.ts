// The address of the API server and the client credentials, from the kubeconfig or the pod's ServiceAccount. Follows
// files on disk, and keeps using credentials that cannot be read for a moment. Only reads; opens no connection.

import { createHash } from 'node:crypto';
import type { RequestOptions } from 'node:https';
import { pause } from '../backoff.ts';
import { explainFileError } from '../configuration-error.ts';
import { RetryableError } from '../errors.ts';
import type { KubeconfigFile } from './kubeconfig-file.ts';
import type { Headers } from './kubeconfig-user.ts';
import { loadKubeconfig } from './load-kubeconfig.ts';
import { readCertificates, readPrivateKey } from './pem-material.ts';

type TlsMaterial = string | Buffer | (string | Buffer)[];

interface TlsOptions {
  readonly ca?: TlsMaterial;
  readonly cert?: TlsMaterial;
  readonly key?: TlsMaterial;
  readonly servername?: string;
}

export interface Credentials {
  readonly server: URL;
  readonly headers: Headers;
  readonly tls: TlsOptions;
  /** Changes when any TLS material changes. */
  readonly fingerprint: string;
}

/** The source of the current credentials (CredentialSource). */
export interface CredentialReader {
  read(): Promise<Credentials>;
  /** Call when the server answered 401, or was not trusted itself. */
  markRejected(): void;
}

/**
 * Files are read again after this time, a token's by client-node after another minute: well within the overlap of a
 * rotated token or certificate, and cheap.
 */
const MAX_AGE_MS = 10_000;
/**
 * For credentials that the server rejected: no request succeeds with them. Not less, so that an exec plugin is not
 * started for each request.
 */
const REFUSED_MAX_AGE_MS = 1_000;

/**
 * As long as one request may take (cluster-client.ts): an exec plugin that hangs must not block all requests forever.
 */
const READ_TIMEOUT_MS = 10_000;
/** A plugin that hangs is started again after this time, and no more often, so that they do not accumulate. */
const GIVE_UP_AFTER_MS = 60_000;

/** Returns the current credentials; follows files that change on disk. */
export class CredentialSource implements CredentialReader {
  readonly #load: () => KubeconfigFile;
  readonly #now: () => number;
  readonly #timeoutMs: number;
  #kubeConfig: KubeconfigFile;
  #current: { readonly credentials: Credentials; readonly readAt: number } | undefined;
  #reading: { readonly answer: Promise<Credentials>; readonly since: number } | undefined;
  #refused = false;

  /** Reads the kubeconfig at once and throws if it is unusable, so that mistakes show at startup. */
  constructor(kubeconfig: string | undefined, now: () => number, timeoutMs = READ_TIMEOUT_MS, context?: string) {
    this.#load = () => loadKubeconfig(kubeconfig, context);
    this.#now = now;
    this.#timeoutMs = timeoutMs;
    this.#kubeConfig = this.#load();
  }

  /** The namespace of the pod or of the kubeconfig's context; `default` when none is set. */
  get namespace(): string {
    const context = this.#kubeConfig.getContextObject(this.#kubeConfig.getCurrentContext());
    return context?.namespace?.trim() || 'default';
  }

  /** The credentials, at most 10 s old if they can be read; concurrent callers share one read. */
  async read(): Promise<Credentials> {
    const maxAgeMs = this.#refused ? REFUSED_MAX_AGE_MS : MAX_AGE_MS;
    if (this.#current !== undefined && this.#now() - this.#current.readAt < maxAgeMs) return this.#current.credentials;
    // With credentials a caller need not wait: they are valid for longer than they are cached (and the Lease's renewal
    // cannot wait).
    const waitMs = this.#current === undefined ? this.#timeoutMs : this.#timeoutMs / 10;
    const inTime = new AbortController();
    const read = await Promise.race([this.#readOnce(), pause(waitMs, inTime.signal)]).finally(() => inTime.abort());
    return read ?? this.#fallBack(new Error(`no answer within ${waitMs / 1000} s`));
  }

  /** The next read starts with the kubeconfig, exec plugins included. */
  markRejected(): void {
    this.#refused = true;
  }

  #readOnce(): Promise<Credentials> {
    const now = this.#now();
    if (this.#reading === undefined || now - this.#reading.since > GIVE_UP_AFTER_MS) {
      const reading = { answer: this.#readNow(), since: now };
      this.#reading = reading;
      const end = () => {
        if (this.#reading === reading) this.#reading = undefined;
      };
      reading.answer.then(end, end);
    }
    return this.#reading.answer;
  }

  async #readNow(): Promise<Credentials> {
    try {
      if (this.#refused) this.#kubeConfig = this.#load();
      this.#refused = false;
      const credentials = await readCredentials(this.#kubeConfig);
      this.#current = { credentials, readAt: this.#now() };
      return credentials;
    } catch (cause) {
      return this.#fallBack(cause);
    }
  }

  /**
   * A file that is being replaced may be missing for a moment: what was valid 10 s ago most likely still is. Kept for
   * another 10 s, so that a failing plugin is not started for each request.
   */
  #fallBack(cause: unknown): Credentials {
    if (this.#current !== undefined) {
      this.#current = { ...this.#current, readAt: this.#now() };
      return this.#current.credentials;
    }
    const detail = detailOf(cause);
    throw new RetryableError(`cannot read the credentials for the API server: ${detail}`, {
      code: 'unauthorized',
      cause,
    });
  }
}

function detailOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const { path } = cause as NodeJS.ErrnoException;
  return (path === undefined ? cause : (explainFileError(cause, path) ?? cause)).message;
}

async function readCredentials(kubeConfig: KubeconfigFile): Promise<Credentials> {
  const server = new URL(kubeConfig.getCurrentCluster()?.server ?? '');
  const options: RequestOptions & { servername?: string } = {};
  // The only public method that gives both headers and TLS; the agent that it also creates is cached and never used.
  await kubeConfig.applyToHTTPSOptions(options);
  const tls = pickTls(options);
  checkTls(tls, kubeConfig);
  const token = kubeConfig.readTokenFile()?.trim();
  const headers = {
    ...pickHeaders(options),
    ...kubeConfig.impersonationHeaders,
    ...(token ? { authorization: `Bearer ${token}` } : {}),
  };
  return { server, headers, tls, fingerprint: fingerprint(server, tls) };
}

/** Checks only what TLS would fail on; TLS itself reports a key that does not match its certificate. */
function checkTls({ ca, cert, key }: TlsOptions, kubeConfig: KubeconfigFile): void {
  const cluster = kubeConfig.getCurrentCluster();
  const user = kubeConfig.getCurrentUser();
  if (ca !== undefined) readCertificates(textOf(ca), nameOf('certificate-authority', cluster?.caFile));
  if (cert !== undefined) readCertificates(textOf(cert), nameOf('client-certificate', user?.certFile));
  if (key !== undefined) readPrivateKey(textOf(key), nameOf('client-key', user?.keyFile));
}

/** Material from an exec plugin has the name of the field that it replaces. */
function nameOf(field: string, file: string | undefined): string {
  return file ? `${field} ${file}` : field;
}

function textOf(material: TlsMaterial): string {
  return [material]
    .flat()
    .map(piece => (typeof piece === 'string' ? piece : piece.toString('latin1')))
    .join('');
}

function pickTls(options: RequestOptions & { servername?: string }): TlsOptions {
  const { ca, cert, key, servername } = options;
  return {
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key: key as TlsMaterial } : {}),
    ...(servername ? { servername } : {}),
  };
}

/** Authorization and Impersonate-User; a token file usually ends with a newline, which a header cannot contain. */
function pickHeaders(options: RequestOptions): Record<string, string> {
  const entries = Object.entries(options.headers ?? {});
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), String(value).trim()]));
}

function fingerprint(server: URL, tls: TlsOptions): string {
  const hash = createHash('sha256').update(server.href);
  for (const part of [tls.ca, tls.cert, tls.key, tls.servername]) {
    for (const piece of [part ?? ''].flat()) hash.update('\0').update(piece);
  }
  return hash.digest('hex');
}
