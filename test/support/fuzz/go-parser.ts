// Runs Go's parsers on many certificates, keys, requests or texts in one process.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { err, type Result } from '@countersign/common/result.ts';
import { findTools } from '../control-plane/find-tools.ts';
import { reproduction } from './random.ts';

export interface ParseCase {
  /** The PEM label. */
  readonly label: string;
  readonly der: Buffer;
}

/** The batch modes of certcheck. */
type Mode = 'parse' | 'request' | 'issued' | 'duration' | 'signer-name' | 'protobuf';

/**
 * Returns certcheck's answer for each line: `ok` and the parsed contents, or `error` and the reason. Builds certcheck
 * first if it is missing.
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

/** The same for bytes and for texts. */
export function askGoAbout(mode: Mode, cases: readonly (Buffer | string)[]): Promise<readonly string[]> {
  return askGo(
    mode,
    cases.map(each => Buffer.from(each as string).toString('base64')),
  );
}

/** Where two parsers agree and differ on the same cases. */
export interface Comparison {
  readonly bothRead: number;
  readonly bothRefuse: number;
  /** Accepted by both with different contents. */
  readonly readOtherwise: readonly string[];
  /** Accepted by Go and rejected here: stricter than necessary. */
  readonly refusedHere: readonly string[];
  /** Accepted here and rejected by Go: the API server would reject it later. */
  readonly refusedByGo: readonly string[];
}

/** The contents as read here, in the format of certcheck, or the error. */
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
