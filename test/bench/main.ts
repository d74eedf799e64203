// `make bench`: builds the programs, runs the measurements of measurements.ts and growth.ts on a new control plane,
// compares the results with the targets, and prints a table.

import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { endWithMistake, HELP_OPTION, readCommandLine } from '../../build/command-line.ts';
import { createProgress } from '../support/control-plane/progress.ts';
import { createBenchCluster } from './bench-cluster.ts';
import { type GrowthPoint, measureGrowth } from './growth.ts';
import { MEASUREMENTS } from './measurements.ts';
import { drawResults } from './plot.ts';
import { buildPrograms } from './programs.ts';
import { formatTable, type Row } from './row.ts';

const RESULTS = fileURLToPath(new URL('results.json', import.meta.url));
const PLOT = fileURLToPath(new URL('../../docs/bench.svg', import.meta.url));
const GROWTH = 'growth';
const NAMES = [GROWTH, ...Object.keys(MEASUREMENTS)];

const HELP_COMMAND = 'node test/bench/main.ts --help';

const HELP = `Usage: node test/bench/main.ts [--only NAME]... [--runs N]

  --only NAME  Run only this measurement: ${NAMES.join(', ')}. Repeatable. Does not write any files.
  --runs N     Number of alternating runs (odd); the table shows the median. Default 5.
`;

async function main(): Promise<void> {
  const { values } = readCommandLine(HELP_COMMAND, {
    options: {
      only: { type: 'string', multiple: true },
      runs: { type: 'string', default: '5' },
      help: HELP_OPTION,
    },
  });
  const names = values.only ?? NAMES;
  if (values.help) return void process.stdout.write(HELP);
  const unknown = names.find(name => !NAMES.includes(name));
  if (unknown !== undefined) endWithMistake(`--only: "${unknown}" is not one of ${NAMES.join(', ')}`, HELP_COMMAND);
  if (Number(values.runs) % 2 !== 1) endWithMistake(`--runs: "${values.runs}" is not an odd number`, HELP_COMMAND);
  // Saved after each measurement, so that an error does not lose the results of the last hour.
  const keep = values.only === undefined ? writeResults : async () => {};
  const rows = await measure(names, Number(values.runs), keep);
  process.stdout.write(`${formatTable(rows)}\n`);
}

interface Results {
  /** Number of alternating runs per row; the row is their median. */
  readonly runs: number;
  readonly rows: readonly Row[];
  readonly growth: readonly GrowthPoint[];
  /** True after the last measurement. */
  readonly isWhole: boolean;
}

async function measure(
  names: readonly string[],
  runs: number,
  keep: (results: Results) => Promise<void>,
): Promise<readonly Row[]> {
  const progress = createProgress();
  const programs = await buildPrograms(progress);
  const world = await createBenchCluster(programs, progress);
  const rows: Row[] = [];
  let growth: readonly GrowthPoint[] = [];
  try {
    for (const name of names) {
      process.stderr.write(`${name}\n`);
      if (name === GROWTH) growth = await measureGrowth(world);
      rows.push(...((await MEASUREMENTS[name]?.(world, { runs })) ?? []));
      await keep({ runs, rows, growth, isWhole: name === names.at(-1) });
    }
  } finally {
    await world.stop();
  }
  return rows;
}

async function writeResults({ runs, rows, growth, isWhole }: Results): Promise<void> {
  const allTargetsMet = isWhole ? rows.every(({ met }) => met !== false) : null;
  await writeFile(RESULTS, `${JSON.stringify({ runs, rows, allTargetsMet, growth }, null, 2)}\n`);
  await writeFile(PLOT, drawResults(rows, growth));
}

await main();
