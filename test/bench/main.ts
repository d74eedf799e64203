// `make bench`: builds the programs, runs the measurements on a new control plane, compares the results with the
// targets, and prints a table. A measurement that fails is reported at the end and does not stop the others.

import { inspect } from 'node:util';
import { endWithMistake, HELP_OPTION, readCommandLine } from '../../build/command-line.ts';
import { createProgress } from '../support/control-plane/progress.ts';
import { createBenchCluster, type World } from './bench-cluster.ts';
import { MEASUREMENTS } from './measurements.ts';
import { buildPrograms } from './programs.ts';
import { type Measurements, readResults, rowsOf, type Taken, writeResults } from './results.ts';
import { formatTable } from './row.ts';
import { formatCosts } from './sides.ts';

const NAMES = Object.keys(MEASUREMENTS);

const HELP_COMMAND = 'node test/bench/main.ts --help';

const HELP = `Usage: node test/bench/main.ts [--only NAME]... [--write] [--runs N] [--quick]

Runs all measurements, writes test/bench/results.json and docs/bench.svg after each, and prints a table.

  --only NAME  Run only this measurement, without writing any files. Repeatable. NAME is one of
               ${NAMES.join(', ')}.
  --write      With --only: replace these measurements in the files.
  --runs N     Number of alternating runs (odd); the table shows the median. Default 5.
  --quick      Send a fiftieth of the requests, to see that the benchmark works. Does not write any files.
`;

interface Order {
  readonly names: readonly string[];
  readonly runs: number;
  readonly isQuick: boolean;
  /** Called after each measurement. */
  readonly keep: (taken: Measurements) => Promise<void>;
}

async function main(): Promise<void> {
  const { values } = readCommandLine(HELP_COMMAND, {
    options: {
      only: { type: 'string', multiple: true },
      write: { type: 'boolean', default: false },
      runs: { type: 'string', default: '5' },
      quick: { type: 'boolean', default: false },
      help: HELP_OPTION,
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const { only, write, runs, quick: isQuick } = values;
  const unknown = only?.find(name => !NAMES.includes(name));
  if (unknown !== undefined) endWithMistake(`--only: "${unknown}" is not one of ${NAMES.join(', ')}`, HELP_COMMAND);
  if (Number(runs) % 2 !== 1) endWithMistake(`--runs: "${runs}" is not an odd number`, HELP_COMMAND);
  const before = only === undefined ? {} : (await readResults()).measurements;
  const keep = async (taken: Measurements) => {
    if (!isQuick && (write || only === undefined)) await writeResults(NAMES, { ...before, ...taken });
  };
  // In the order of the table: the last one leaves its CSRs in the cluster.
  const names = NAMES.filter(name => only?.includes(name) ?? true);
  const taken = await measureAll({ names, runs: Number(runs), isQuick, keep });
  process.stdout.write(`${formatTable(rowsOf(taken))}\n${formatCosts(Object.values(taken))}`);
}

async function measureAll({ names, runs, isQuick, keep }: Order): Promise<Measurements> {
  const progress = createProgress();
  const programs = await buildPrograms(progress);
  const taken: Record<string, Taken> = {};
  let world: World | undefined;
  try {
    for (const name of names) {
      world ??= await createBenchCluster(programs, { progress, isQuick });
      try {
        taken[name] = await take(world, name, runs);
        await keep(taken);
      } catch (error) {
        reportFailure(name, error);
        // The next one gets a new control plane, because this one may be broken.
        await world.stop();
        world = undefined;
      }
    }
  } finally {
    await world?.stop();
  }
  return taken;
}

async function take(world: World, name: string, runs: number): Promise<Taken> {
  process.stderr.write(`${name}\n`);
  const started = performance.now();
  const measured = await MEASUREMENTS[name]!(world, { runs });
  const seconds = Math.round((performance.now() - started) / 1_000);
  process.stderr.write(`  ${seconds} s\n`);
  return { runs, seconds, ...measured };
}

function reportFailure(name: string, error: unknown): void {
  process.stderr.write(`${name} failed: ${inspect(error)}\n`);
  process.exitCode = 1;
}

await main();
