// Downloads the official envtest archive (etcd, kube-apiserver, kubectl) for the required Kubernetes release and
// verifies the SHA-512 from the release index. Makes one attempt; returns the reason if it fails.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { err, ok, type Result } from '@countersign/common/result.ts';
import { parse } from 'yaml';
import { isContinuousIntegration } from '../continuous-integration.ts';
import { PARTIAL } from './go-build.ts';
import type { Environment, ToolModule, ToolName } from './tools.ts';

export const ENVTEST_INDEX =
  'https://raw.githubusercontent.com/kubernetes-sigs/controller-tools/HEAD/envtest-releases.yaml';

export const ARCHIVED_TOOLS: readonly ToolName[] = ['etcd', 'kube-apiserver', 'kubectl'];

const CONNECT_MS = 3_000;

interface Archive {
  readonly hash: string;
  readonly selfLink: string;
}

/** Enabled by default, except in CI, where tests use only loopback. */
export function mayUseEnvtest(env: Environment): boolean {
  return env['COUNTERSIGN_ENVTEST'] !== 'off' && !isContinuousIntegration(env);
}

/** Extracts the tools into `folder`, or returns why it could not. */
export async function fetchEnvtest(module: ToolModule, folder: string, index = ENVTEST_INDEX): Promise<Result<void>> {
  try {
    const archive = findArchive(parse((await download(index)).toString()), module.kubernetesVersion);
    if (archive === undefined) return err(`the index has no archive of ${module.kubernetesVersion} for this platform`);
    const bytes = await download(archive.selfLink);
    if (!hasHash(bytes, archive.hash)) return err(`the SHA-512 of ${archive.selfLink} does not match the index`);
    return ok(await unpack(bytes, folder));
  } catch (error) {
    return err(reasonOf(error));
  }
}

function findArchive(index: unknown, version: string): Archive | undefined {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const releases = field(index, 'releases');
  const entry = field(field(releases, version), `envtest-${version}-${process.platform}-${arch}.tar.gz`);
  const [hash, selfLink] = [field(entry, 'hash'), field(entry, 'selfLink')];
  return typeof hash === 'string' && typeof selfLink === 'string' ? { hash, selfLink } : undefined;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

async function download(url: string): Promise<Buffer> {
  const connecting = new AbortController();
  const timer = setTimeout(() => connecting.abort(new Error(`no response within ${CONNECT_MS} ms`)), CONNECT_MS);
  const response = await fetch(url, { signal: connecting.signal }).finally(() => clearTimeout(timer));
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

function hasHash(bytes: Buffer, hash: string): boolean {
  return createHash('sha512').update(bytes).digest('hex') === hash.toLowerCase();
}

async function unpack(bytes: Buffer, folder: string): Promise<void> {
  const aside = join(folder, `.envtest.${process.pid}${PARTIAL}`);
  const archive = join(aside, 'archive.tar.gz');
  try {
    await mkdir(aside, { recursive: true });
    await writeFile(archive, bytes);
    // The paths in the archive are controller-tools/envtest/<tool>.
    await promisify(execFile)('tar', ['-xzf', archive, '-C', aside, '--strip-components=2', '--no-same-owner']);
    for (const name of ARCHIVED_TOOLS) await access(join(aside, name));
    for (const name of ARCHIVED_TOOLS) await rename(join(aside, name), join(folder, name));
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
