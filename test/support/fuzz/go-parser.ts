// Asks Go's own parsers, in one process for many cases, whether they read a certificate or a key.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { err, type Result } from '@countersign/common/result.ts';
import { findTools } from '../control-plane/find-tools.ts';

export interface ParseCase {
  /** The label of PEM. */
  readonly label: string;
  readonly der: Buffer;
}

/** `ok` and what Go has read, or `error` and why not, for each case. Builds the program first if there is none yet. */
async function parseWithGo(cases: readonly ParseCase[]): Promise<readonly string[]> {
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
  /** Read by both, and not as the same. */
  readonly readOtherwise: readonly string[];
  /** Read by Go and refused here: stricter than need be. */
  readonly refusedHere: readonly string[];
  /** Read here and refused by Go: what the API server would refuse later. */
  readonly refusedByGo: readonly string[];
}

/** Of a case: whether this project reads it, and what, in the words of certcheck; the error if not. */
export type Reading = Result<string>;

export async function compareWithGo(cases: readonly ParseCase[], readings: readonly Reading[]): Promise<Comparison> {
  const answers = await parseWithGo(cases);
  const rows = cases.map(({ der }, at) => toRow(der, readings[at] ?? err('no reading'), answers[at] ?? ''));
  const show = (row: (typeof rows)[number]) => `${row.here} | ${row.go} | ${row.der.toString('base64')}`;
  return {
    bothRead: rows.filter(({ isReadHere, isReadByGo }) => isReadHere && isReadByGo).length,
    bothRefuse: rows.filter(({ isReadHere, isReadByGo }) => !isReadHere && !isReadByGo).length,
    readOtherwise: rows.filter(row => row.isReadHere && row.isReadByGo && row.here !== row.go).map(show),
    refusedHere: rows.filter(({ isReadHere, isReadByGo }) => !isReadHere && isReadByGo).map(show),
    refusedByGo: rows.filter(({ isReadHere, isReadByGo }) => isReadHere && !isReadByGo).map(show),
  };
}

function toRow(der: Buffer, reading: Reading, answer: string) {
  const here = reading.ok ? `ok ${reading.value}` : `error ${reading.error}`;
  return { der, here, go: answer, isReadHere: reading.ok, isReadByGo: answer.startsWith('ok') };
}
