// Checks the issuance protocol with Spin: the model as it is, and once without each of its two safeguards. Installs
// Spin from Debian in CI.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isContinuousIntegration, requirementOf } from '../support/continuous-integration.ts';

const MODEL = new URL('issuance.pml', import.meta.url).pathname;
const PACKAGES = ['spin', 'gcc', 'libc6-dev'];

function findSpin(): object | string {
  const hasAll = () => ['spin', 'gcc'].every(name => spawnSync('which', [name]).status === 0);
  if (!hasAll() && isContinuousIntegration(process.env)) {
    for (const args of [['update'], ['install', '--no-install-recommends', ...PACKAGES]])
      spawnSync('apt-get', ['-qq', '-y', ...args], { stdio: 'inherit' });
  }
  return hasAll() ? {} : `the model requires Spin (on Debian: apt-get install ${PACKAGES.join(' ')})`;
}

/** Returns the output of the exhaustive search. */
function search(...flags: string[]): string {
  const cwd = mkdtempSync(join(tmpdir(), 'countersign-model-'));
  try {
    execFileSync('spin', ['-a', ...flags, MODEL], { cwd, stdio: 'pipe' });
    execFileSync('gcc', ['-O2', '-DSAFETY', '-DCOLLAPSE', '-o', 'pan', 'pan.c'], { cwd });
    return execFileSync(join(cwd, 'pan'), ['-E', '-m200000'], { cwd, encoding: 'utf8', timeout: 150_000 });
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

const options = requirementOf(findSpin());

test('the model stores at most one certificate and writes none without the Lease', options, () => {
  const output = search();
  assert.match(output, /errors: 0/);
  assert.doesNotMatch(output, /max search depth too small/);
});

for (const [flag, broken] of [
  ['-DNO_CHECK', 'holder==identity'],
  ['-DNO_PRECONDITION', 'stored==1'],
] as const) {
  test(`the model violates its assertion with ${flag}`, options, () => {
    assert.ok(search(flag).includes(`assertion violated (${broken})`));
  });
}
