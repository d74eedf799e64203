// Checks issued certificates with independent tools: openssl, and Go's crypto/x509 and zlint in certcheck. Also creates
// keys, requests and CA certificates with openssl. Uses no code of the services.

import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { findTools } from './control-plane/find-tools.ts';
import { runCommand } from './control-plane/run-command.ts';
import { readVectors } from './vectors.ts';

/** Returns the output of openssl; throws its error output. `files` are written to the working directory. */
export async function openssl(args: readonly string[], files: Readonly<Record<string, string>> = {}): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'countersign-openssl-'));
  try {
    for (const [name, content] of Object.entries(files)) await writeFile(join(dir, name), content, { mode: 0o600 });
    const { code, stdout, stderr } = await runCommand('openssl', args, { env: process.env, cwd: dir });
    if (code !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr || stdout}`);
    return stdout;
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** Returns a CA certificate self-signed with the key (PEM). */
export function createRoot(key: string, commonName: string, ...options: string[]): Promise<string> {
  const args = ['req', '-x509', '-new', '-key', 'key', '-subj', `/CN=${commonName}`, '-days', '365', ...options];
  return openssl(args, { key });
}

/** The same, expired a day ago. */
export async function createExpiredRoot(key: string, commonName: string): Promise<string> {
  const request = await openssl(['req', '-new', '-key', 'key', '-subj', `/CN=${commonName}`], { key });
  const files = { key, request, extensions: 'basicConstraints = critical, CA:TRUE\n' };
  const dates = ['-days', '-1'];
  return openssl(['x509', '-req', '-in', 'request', '-signkey', 'key', ...dates, '-extfile', 'extensions'], files);
}

/** Returns a PKCS#10 request for the key in base64, as in spec.request. */
export async function createRequest(key: string, commonName: string, ...options: string[]): Promise<string> {
  const request = await openssl(['req', '-new', '-key', 'key', '-subj', `/CN=${commonName}`, ...options], { key });
  return Buffer.from(request).toString('base64');
}

/** Returns the PEM of each certificate. */
export function splitPem(chain: string): string[] {
  return chain.match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----\n/g) ?? [];
}

export interface CheckedCertificate {
  /** PEM, leaf first. */
  readonly chain: string;
  /** PEM; empty for a self-signed leaf. */
  readonly roots: string;
  readonly isCA: boolean;
  readonly selfSigned: boolean;
  /** Whether the leaf has a subjectKeyIdentifier although it is not a CA. Defaults to false. */
  readonly hasKeyID?: boolean;
}

/** Throws unless openssl builds a chain to one of the roots. */
async function verifyWithOpenssl({ chain, roots, selfSigned }: CheckedCertificate): Promise<void> {
  const [leaf = '', ...untrusted] = splitPem(chain);
  const files = { leaf, roots: selfSigned ? leaf : roots, untrusted: untrusted.join('') };
  const untrustedArgs = untrusted.length > 0 ? ['-untrusted', 'untrusted'] : [];
  await openssl(['verify', '-check_ss_sig', '-CAfile', 'roots', ...untrustedArgs, 'leaf'], files);
}

export interface Finding {
  readonly lint: string;
  readonly status: string;
  readonly details?: string;
  readonly source: string;
}

export interface CertcheckAnswer {
  readonly verified: boolean;
  readonly sameAsGo: boolean;
  readonly error?: string;
  readonly findings: readonly Finding[];
}

/** Returns the zlint findings that are explained in zlint-findings.yaml. */
export function explainedLints(): readonly string[] {
  return readVectors<readonly { readonly lints: readonly string[] }[]>('zlint-findings.yaml').flatMap(
    ({ lints }) => lints,
  );
}

/**
 * Checks the certificate with all three tools and fails unless they accept it. Returns the zlint findings, all of which
 * must be explained.
 */
export async function checkWithAll(
  certcheck: Certcheck,
  certificate: CheckedCertificate,
  explained: ReadonlySet<string>,
): Promise<readonly string[]> {
  await verifyWithOpenssl(certificate);
  const { findings, ...answer } = await certcheck.check(certificate);
  assert.deepEqual(answer, { verified: true, sameAsGo: true });
  assert.deepEqual(
    findings.filter(({ lint }) => !explained.has(lint)),
    [],
  );
  return findings.map(({ lint }) => lint);
}

/** One process for all certificates of a test file, because setting up the lints takes longer than a check. */
export class Certcheck {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: Interface;
  readonly #waiting: ((line: string) => void)[] = [];

  constructor(path: string) {
    this.#process = spawn(path);
    this.#lines = createInterface(this.#process.stdout);
    this.#lines.on('line', line => this.#waiting.shift()?.(line));
    this.#lines.on('close', () => {
      for (const answer of this.#waiting) answer('{"error": "certcheck exited", "findings": []}');
    });
  }

  /** Builds certcheck first if it is missing. */
  static async start(): Promise<Certcheck> {
    return new Certcheck((await findTools(['certcheck'])).certcheck);
  }

  async check(certificate: CheckedCertificate): Promise<CertcheckAnswer> {
    const line = new Promise<string>(resolve => this.#waiting.push(resolve));
    this.#process.stdin.write(`${JSON.stringify(certificate)}\n`);
    return JSON.parse(await line) as CertcheckAnswer;
  }

  async stop(): Promise<void> {
    const ended = new Promise(resolve => this.#process.once('close', resolve));
    this.#process.stdin.end();
    await ended;
  }
}
