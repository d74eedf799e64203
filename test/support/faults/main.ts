// `node test/support/faults/main.ts`: runs the fault suite and prints the figure of each promise. With --write,
// updates docs/reliability.md.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HELP_OPTION, readCommandLine } from '../../../build/command-line.ts';
import { PROMISES, type PromiseId } from '../../faults/promises.ts';
import { FIGURES_FILE, type Figure } from './figures.ts';
import { replaceTable } from './reliability-page.ts';

const PAGE = new URL('../../../docs/reliability.md', import.meta.url);
const HELP_COMMAND = 'node test/support/faults/main.ts --help';

const HELP = `Usage: node test/support/faults/main.ts [--write] [FILE]...

Runs the fault tests (all if no FILE is given) and prints the figure of each promise.
  --write  Update the figures in docs/reliability.md.
`;

interface Suite {
  readonly files: readonly string[];
  readonly concurrency: number;
}

/** Scenarios measure times, so each has the machine to itself. Fuzzers only count. */
const SUITES: readonly Suite[] = [
  { files: ['test/faults/*.test.ts'], concurrency: 1 },
  { files: ['test/faults/fuzz/*.test.ts'], concurrency: 2 },
];

async function runSuite(figuresFile: string, { files, concurrency }: Suite): Promise<number> {
  const env = { ...process.env, [FIGURES_FILE]: figuresFile };
  const options = ['--test', `--test-concurrency=${concurrency}`, '--test-timeout=300000'];
  const suite = spawn(process.execPath, [...options, ...files], { stdio: 'inherit', env });
  const [code] = (await once(suite, 'exit')) as [number | null];
  return code ?? 1;
}

/** Runs every suite, also after a failure. */
async function runSuites(figuresFile: string, suites: readonly Suite[]): Promise<number> {
  const codes: number[] = [];
  for (const suite of suites) codes.push(await runSuite(figuresFile, suite));
  return Math.max(...codes);
}

async function main(): Promise<void> {
  const options = { write: { type: 'boolean' }, help: HELP_OPTION } as const;
  const { values, positionals } = readCommandLine(HELP_COMMAND, { options, allowPositionals: true });
  if (values.help) return void process.stdout.write(HELP);
  const dir = await mkdtemp(join(tmpdir(), 'countersign-faults-'));
  try {
    const file = join(dir, 'figures');
    await writeFile(file, '');
    process.exitCode = await runSuites(
      file,
      positionals.length > 0 ? [{ files: positionals, concurrency: 1 }] : SUITES,
    );
    const lines = (await readFile(file, 'utf8')).split('\n').filter(Boolean);
    const figures = new Map(lines.map(line => JSON.parse(line) as Figure).map(({ id, figure }) => [id, figure]));
    for (const [id, promise] of Object.entries(PROMISES))
      process.stdout.write(`${promise}: ${figures.get(id as PromiseId) ?? 'not measured'}\n`);
    if (values.write) await writeFile(PAGE, replaceTable(await readFile(PAGE, 'utf8'), figures));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

await main();
