// Asks Go's own parsers, in one process for many cases, whether they read a certificate, a key, a request or a text.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { err, type Result } from '@countersign/common/result.ts';
import { findTools } from '../control-plane/find-tools.ts';
import { reproduction } from './random.ts';

export interface ParseCase {
  /** The label of PEM. */
  readonly label: string;
  readonly der: Buffer;
}

/** The modes in which certcheck answers line by line. */
type Mode = 'parse' | 'request' | 'issued' | 'duration' | 'signer-name' | 'protobuf';

/**
 * For each line what certcheck says of it: `ok` and what was read, or `error` and why not. Builds the program first if there is none
 * yet.
 */
export async function askGo(mode: Mode, lines: readonly string[]): Promise<readonly string[]> {
  const { certcheck } = await findTools(['certcheck']);
  const child = spawn(certcheck, [mode], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(lines.map(line => `${line}\n`).join(''));
  const answers: string[] = [];
  for await (const line of createInterface(child.stdout)) answers.push(line);
  if (answers.length !== lines.length) throw new Error(`certcheck gave ${answers.length} of ${lines.length} answers`);
  return answers;
}

/** The same for bytes, and for texts. */
export function askGoAbout(mode: Mode, cases: readonly (Buffer | string)[]): Promise<readonly string[]> {
  return askGo(
    mode,
    cases.map(each => Buffer.from(each as string).toString('base64')),
  );
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
  const answers = await askGo(
    'parse',
    cases.map(({ label, der }) => `${label.replaceAll(' ', '-')} ${der.toString('base64')}`),
  );
  const rows = cases.map(({ der }, at) => toRow(der, readings[at] ?? err('no reading'), answers[at] ?? ''));
  const show = (row: (typeof rows)[number]) =>
    `${reproduction()} | ${row.here} | ${row.go} | ${row.der.toString('base64')}`;
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
