// The demo: all steps succeed, and when it is interrupted, it prints nothing more and leaves nothing behind.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '../support/until.ts';

const COMMAND = fileURLToPath(new URL('../demo/main.ts', import.meta.url));

test('every step of the demo succeeds, also the one in which a Vault server signs', async t => {
  const demo = spawn(process.execPath, [COMMAND, '--once'], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => demo.kill('SIGKILL'));
  const [output, complaints, [code]] = await Promise.all([text(demo.stdout), text(demo.stderr), once(demo, 'exit')]);
  assert.equal(code, 0, complaints);
  for (const name of ['jane', 'cluster', 'self', 'vault', 'web'])
    assert.match(output, new RegExp(`^  ${name}.crt: OK$`, 'm'));
});

for (const [signal, args, ending] of [
  ['SIGINT', [], [0, null]],
  ['SIGHUP', ['--once'], [1, null]],
  ['SIGKILL', [], [null, 'SIGKILL']],
] as const) {
  test(`the demo exits quietly and removes its folder when it gets ${signal}`, async t => {
    const demo = spawn(process.execPath, [COMMAND, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    t.after(() => demo.kill('SIGKILL'));
    const complaints = text(demo.stderr);
    const ended = once(demo, 'exit');
    const dir = await folderOf(demo);
    assert.ok(existsSync(dir));
    demo.kill(signal);
    const rest = await text(demo.stdout);
    assert.deepEqual(await ended, ending);
    assert.doesNotMatch(rest, /What's next|Error/);
    assert.doesNotMatch(await complaints, /ENOENT|Error/);
    await until(() => !existsSync(dir));
  });
}

/** Resolves when the steps have begun. */
async function folderOf({ stdout }: ChildProcess): Promise<string> {
  let output = '';
  for await (const part of stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    output += part;
    const [, dir] = /-f (\S+)\/installation\/values\.yaml[^]*\n\$ openssl/.exec(output) ?? [];
    if (dir !== undefined) return dir;
  }
  return assert.fail(`the demo exited: ${output}`);
}
