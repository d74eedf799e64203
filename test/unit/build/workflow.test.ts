// Checks the workflow of continuous integration: it runs .ci/run and nothing else, with pinned actions and no rights
// to write.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { ROOT } from '../../../build/bundle.ts';

interface Workflow {
  readonly permissions: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

interface Job {
  readonly permissions?: unknown;
  readonly 'timeout-minutes'?: number;
  readonly steps: readonly { readonly uses?: string; readonly run?: string }[];
}

const readYaml = (file: string) => parse(readFileSync(join(ROOT, file), 'utf8'));

test('the CI workflow runs .ci/run alone, with pinned actions, a timeout and read access', () => {
  const { permissions, jobs } = readYaml('.github/workflows/ci.yml') as Workflow;
  assert.deepEqual(permissions, { contents: 'read' });
  for (const job of Object.values(jobs)) {
    assert.equal(job.permissions, undefined);
    assert.ok(Number(job['timeout-minutes']) > 0);
    for (const { uses = '' } of job.steps) assert.match(uses, /^(?:[\w-]+\/[\w-]+@[0-9a-f]{40})?$/);
  }
  const commands = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run = [] }) => run));
  assert.equal(commands.length, 1);
  assert.match(commands[0] ?? '', / \.ci\/run$/);
});

for (const file of globSync('.github/ISSUE_TEMPLATE/[!c]*.yml', { cwd: ROOT })) {
  test(`the issue template ${file} has a name, a description and fields with labels`, () => {
    const { name, description, body } = readYaml(file);
    assert.ok(name && description);
    const fields = body as readonly { readonly type: string; readonly attributes: Readonly<Record<string, string>> }[];
    for (const { type, attributes } of fields) assert.ok(attributes[type === 'markdown' ? 'value' : 'label'], type);
  });
}
