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

const OPTIONS = ['--test', '--test-concurrency=1', '--test-timeout=300000'];

async function runSuite(figuresFile: string, files: readonly string[]): Promise<number> {
  const env = { ...process.env, [FIGURES_FILE]: figuresFile };
  const suite = spawn(process.execPath, [...OPTIONS, ...files], { stdio: 'inherit', env });
  const [code] = (await once(suite, 'exit')) as [number | null];
  return code ?? 1;
}

async function main(): Promise<void> {
  const options = { write: { type: 'boolean' }, help: HELP_OPTION } as const;
  const { values, positionals } = readCommandLine(HELP_COMMAND, { options, allowPositionals: true });
  if (values.help) return void process.stdout.write(HELP);
  const dir = await mkdtemp(join(tmpdir(), 'countersign-faults-'));
  try {
    const file = join(dir, 'figures');
    await writeFile(file, '');
    const files = positionals.length > 0 ? positionals : ['test/faults/**/*.test.ts'];
    process.exitCode = await runSuite(file, files);
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
