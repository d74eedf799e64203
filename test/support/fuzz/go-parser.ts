// Asks Go's own parsers, in one process for many cases, whether they read a certificate or a key.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { findTools } from '../control-plane/find-tools.ts';

export interface ParseCase {
  /** The label of PEM. */
  readonly label: string;
  readonly der: Buffer;
}

/** Go's error for each case, empty for what it reads. Builds the program first if there is none yet. */
export async function parseWithGo(cases: readonly ParseCase[]): Promise<readonly string[]> {
  const { certcheck } = await findTools(['certcheck']);
  const child = spawn(certcheck, ['parse'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const input = cases.map(({ label, der }) => `${label.replaceAll(' ', '-')} ${der.toString('base64')}\n`).join('');
  child.stdin.end(input);
  const answers: string[] = [];
  for await (const line of createInterface(child.stdout)) answers.push(line);
  if (answers.length !== cases.length) throw new Error(`certcheck gave ${answers.length} of ${cases.length} answers`);
  return answers;
}

/** What two readers of the same cases agree and differ on. */
export interface Comparison {
  readonly bothRead: number;
  readonly bothRefuse: number;
  /** Read by Go and refused here: stricter than need be. */
  readonly refusedHere: readonly string[];
  /** Read here and refused by Go: what the API server would refuse later. */
  readonly refusedByGo: readonly string[];
}

/** `errors` are those of this project, undefined for what it reads. */
export async function compareWithGo(
  cases: readonly ParseCase[],
  errors: readonly (string | undefined)[],
): Promise<Comparison> {
  const answers = await parseWithGo(cases);
  const rows = cases.map(({ der }, at) => ({ der, here: errors[at], go: answers[at] ?? '' }));
  const show = (row: (typeof rows)[number]) => `${row.here ?? row.go} ${row.der.toString('base64')}`;
  return {
    bothRead: rows.filter(({ here, go }) => here === undefined && go === '').length,
    bothRefuse: rows.filter(({ here, go }) => here !== undefined && go !== '').length,
    refusedHere: rows.filter(({ here, go }) => here !== undefined && go === '').map(show),
    refusedByGo: rows.filter(({ here, go }) => here === undefined && go !== '').map(show),
  };
}
