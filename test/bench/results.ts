// The results of a benchmark: by measurement, in a file that is written after each of them, so that an error or a later
// run of one measurement does not lose the others. Also draws the plot.

import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Measured } from './measurements.ts';
import { drawResults } from './plot.ts';
import type { Row } from './row.ts';

const RESULTS = fileURLToPath(new URL('results.json', import.meta.url));
const PLOT = fileURLToPath(new URL('../../docs/bench.svg', import.meta.url));

export interface Taken extends Measured {
  /** Number of alternating runs that were ordered. */
  readonly runs: number;
  /** How long the measurement took. */
  readonly seconds?: number;
}

export type Measurements = Readonly<Record<string, Taken>>;

export interface Results {
  /** False if a measurement has no result. */
  readonly allTargetsMet: boolean;
  readonly measurements: Measurements;
}

export async function readResults(): Promise<Results> {
  return JSON.parse(await readFile(RESULTS, 'utf8')) as Results;
}

/** `names`: all measurements, in order. */
export async function writeResults(names: readonly string[], taken: Measurements): Promise<void> {
  const found = names.flatMap(name => (taken[name] === undefined ? [] : [[name, taken[name]] as const]));
  const measurements = Object.fromEntries(found);
  const rows = rowsOf(measurements);
  const allTargetsMet = found.length === names.length && rows.every(({ met }) => met !== false);
  await writeFile(RESULTS, `${JSON.stringify({ allTargetsMet, measurements }, null, 2)}\n`);
  const growth = Object.values(measurements).flatMap(each => each.growth ?? []);
  await writeFile(PLOT, drawResults(rows, growth));
}

export function rowsOf(measurements: Measurements): readonly Row[] {
  return Object.values(measurements).flatMap(({ rows }) => rows);
}
