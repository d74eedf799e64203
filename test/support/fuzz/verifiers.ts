// Runs the verifiers of Go and OpenSSL on many chains in one process. Uses no code of this project.

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findTools } from '../control-plane/find-tools.ts';
import { runCommand } from '../control-plane/run-command.ts';

/** PEM: leaves signed by one chain of CAs, and these CAs, root last. */
export interface SignedLeaves {
  readonly leaves: readonly string[];
  readonly cas: readonly string[];
}

const derOf = (pem: string) => pem.replace(/-----[^-]+-----|\s/g, '');

/** Returns Go's error for each leaf, in order; empty if it is accepted. */
export async function verifyWithGo(chains: readonly SignedLeaves[]): Promise<readonly string[]> {
  const { certcheck } = await findTools(['certcheck']);
  const child = spawn(certcheck, ['verify'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = chains.flatMap(({ leaves, cas }) => leaves.map(leaf => [leaf, ...cas].map(derOf).join(' ')));
  child.stdin.end(lines.map(line => `${line}\n`).join(''));
  const answers: string[] = [];
  for await (const line of createInterface(child.stdout)) answers.push(line.replace(/^(ok|error) /, ''));
  if (answers.length !== lines.length) throw new Error(`certcheck gave ${answers.length} of ${lines.length} answers`);
  return answers;
}

export interface OpensslError {
  /** X509_V_ERR. */
  readonly code: number;
  /** 0 for the leaf. */
  readonly depth: number;
}

/** Returns the error for each leaf of the chain; undefined if it is accepted. Uses one process. */
export async function verifyWithOpenssl({ leaves, cas }: SignedLeaves): Promise<readonly (OpensslError | undefined)[]> {
  const dir = await mkdtemp(join(tmpdir(), 'countersign-verify-'));
  try {
    const untrusted = cas.slice(0, -1);
    await writeFile(join(dir, 'root'), cas.at(-1) ?? '');
    await writeFile(join(dir, 'untrusted'), untrusted.join(''));
    await Promise.all(leaves.map((leaf, at) => writeFile(join(dir, `${at}`), leaf)));
    const args = ['verify', '-CAfile', 'root', ...(untrusted.length > 0 ? ['-untrusted', 'untrusted'] : [])];
    const { stdout, stderr } = await runCommand('openssl', [...args, ...leaves.keys().map(String)], {
      env: process.env,
      cwd: dir,
    });
    return leaves.map((_, at) => answerFor(`${at}`, stdout, stderr));
  } finally {
    await rm(dir, { recursive: true });
  }
}

function answerFor(file: string, stdout: string, stderr: string): OpensslError | undefined {
  if (stdout.split('\n').includes(`${file}: OK`)) return undefined;
  // The error is printed before the line that names the file.
  const before = stderr.split(`error ${file}: verification failed`)[0] ?? '';
  const [, code, depth] = [...before.matchAll(/^error (\d+) at (\d+) depth lookup/gm)].at(-1) ?? [];
  if (code === undefined || depth === undefined) throw new Error(`openssl verify: no answer for ${file}: ${stderr}`);
  return { code: Number(code), depth: Number(depth) };
}
