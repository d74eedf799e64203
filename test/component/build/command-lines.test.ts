// Wrong command lines of the programs outside the services: one message, the help command, exit code 2, and no stack.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

async function run(program: string, ...args: readonly string[]) {
  const child = spawn(process.execPath, [program, ...args], { cwd: ROOT });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, stdout, stderr };
}

const PROGRAMS = [
  ['build/images.ts', 'node build/images.ts --help'],
  ['test/bench/main.ts', 'node test/bench/main.ts --help'],
  ['test/demo/main.ts', 'node test/demo/main.ts --help'],
  ['test/support/faults/main.ts', 'node test/support/faults/main.ts --help'],
  ['test/support/node/main.ts', 'node test/support/node/main.ts --help'],
  ['test/control-plane/main.ts', 'npm run control-plane -- --help'],
] as const;

describe('a program with a wrong command line', () => {
  for (const [program, help] of PROGRAMS) {
    test(`${program} reports an unknown option and its help command`, async () => {
      const expected = { code: 2, stdout: '', stderr: `Unknown option --bogus\nRun ${help} for usage.\n` };
      assert.deepEqual(await run(program, '--bogus'), expected);
    });

    test(`${program} prints its usage for -h`, async () => {
      const { code, stdout, stderr } = await run(program, '-h');
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, /^Usage: /m);
    });
  }

  for (const [args, message] of [
    [['--only'], '--only: missing value'],
    [['--only', '--runs=1'], '--only: missing value'],
    [['--help=yes'], '--help takes no value'],
    [['growth'], 'Unexpected argument "growth"'],
    [['--only=growht'], /^--only: "growht" is not one of drain, /],
    [['--runs=4'], '--runs: "4" is not an odd number'],
  ] as const) {
    test(`the benchmark reports the mistake ${args.join(' ')}`, async () => {
      const { code, stderr } = await run('test/bench/main.ts', ...args);
      assert.equal(code, 2);
      const [line = '', help] = stderr.split('\n');
      if (typeof message === 'string') assert.equal(line, message);
      else assert.match(line, message);
      assert.equal(help, 'Run node test/bench/main.ts --help for usage.');
    });
  }

  for (const [program, usage] of [
    ['build/root-filesystem.ts', 'Usage: node build/root-filesystem.ts FOLDER\n'],
    ['build/compile.ts', 'Usage: node build/compile.ts PROGRAM.mjs\n'],
  ] as const) {
    test(`${program} without an argument prints its usage`, async () =>
      assert.deepEqual(await run(program), { code: 2, stdout: '', stderr: usage }));
  }

  for (const program of ['compose/setup.ts', 'compose/certificates.ts', 'compose/request.ts']) {
    test(`${program} outside the compose stack says where it runs`, async () => {
      const { code, stderr } = await run(program, 'jane');
      assert.equal(code, 1);
      const advice = 'does not exist. This program runs in the compose stack only: docker compose up';
      assert.match(stderr, new RegExp(`^/(keys|out)/\\S+ ${advice}\n$`));
    });
  }

  test('compose/request.ts without a user prints its usage', async () => {
    const expected = { code: 2, stdout: '', stderr: 'Usage: docker compose run --rm request jane|mallory\n' };
    assert.deepEqual(await run('compose/request.ts'), expected);
  });

  for (const [args, message] of [
    [[], 'Missing command'],
    [['bogus'], 'Unknown command "bogus"'],
    [['user'], 'user takes exactly one name'],
    [['up', '--dir'], '--dir: missing value'],
  ] as const) {
    test(`the control plane reports the mistake ${args.join(' ') || '(nothing)'}`, async () => {
      const { code, stderr } = await run('test/control-plane/main.ts', ...args);
      assert.deepEqual([code, stderr], [2, `${message}\nRun npm run control-plane -- --help for usage.\n`]);
    });
  }
});
