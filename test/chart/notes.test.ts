import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { CHART, NAMESPACE, RELEASE, runHelm, type Values } from './helm.ts';

async function renderNotes(values: Values): Promise<string> {
  const args = ['install', RELEASE, CHART, '--namespace', NAMESPACE, '--dry-run=client'];
  const { code, stdout, stderr } = await runHelm(args, values);
  assert.equal(code, 0, stderr);
  return stdout.slice(stdout.indexOf('NOTES:\n') + 'NOTES:\n'.length);
}

test('the next steps in the notes are valid shell commands', async () => {
  const notes = await renderNotes({});
  const steps = notes.slice(notes.indexOf('\n# 1. '));
  assert.equal(steps.match(/^kubectl /gm)?.length, 7);
  // bash only warns about an unterminated here-document and exits with code 0.
  const { status, stderr } = spawnSync('bash', ['-n'], { input: steps, encoding: 'utf8' });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
});

test('the notes warn about values that bypass checks, and contain no warning by default', async () => {
  assert.doesNotMatch(await renderNotes({}), /WARNING/);
  assert.match(await renderNotes({ signer: { secretNamespaces: ['a'] } }), /ClusterIssuers of type CA cannot sign/);
  const ignore = { webhook: { failurePolicy: 'Ignore' } };
  assert.match(await renderNotes(ignore), /every request is admitted \(webhook\.failurePolicy: Ignore\)/);
  assert.doesNotMatch(await renderNotes({ ...ignore, admissionPolicy: { enabled: true } }), /is admitted/);
});
