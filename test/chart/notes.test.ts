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

test('the notes mention pods where they can get certificates, and warn if others than kubelets can request them', async () => {
  const notes = (admissionPolicies: object, enabled = true) =>
    renderNotes({ podCertificates: { enabled, admissionPolicies } });
  assert.doesNotMatch(await renderNotes({}), /Pods can/);
  assert.doesNotMatch(await notes({ install: 'always' }, false), /Pods can|WARNING/);
  const served = await notes({ install: 'always' });
  assert.match(served, /Pods can get certificates from these issuers: .*docs\/pods\.md/);
  assert.doesNotMatch(served, /WARNING/);
  assert.match(await notes({ install: 'always', onlyNodes: false }), /WARNING: anyone with the verb create on podcert/);
});

test('the notes mention the approver and its signers where it is installed, and policies without an approver', async () => {
  const approver = { enabled: true, signerNames: ['issuers.cert-manager.io/*'] };
  assert.doesNotMatch(await renderNotes({}), /ApprovalPolic/);
  assert.match(
    await renderNotes({ approver }),
    /decides on CSRs for issuers\.cert-manager\.io\/\* by ApprovalPolicies/,
  );
  assert.match(await renderNotes({ webhook: { approvalPolicies: 'warn' } }), /approver is not installed/);
  assert.match(await renderNotes({ policy: { requireApprovalPolicy: true } }), /signed only while an ApprovalPolicy/);
});

test('the notes say which signer names the approver of cert-manager needs for external issuers', async () => {
  const externalIssuers = [{ name: 'things.things.example.com', kind: 'Thing', scope: 'Cluster' }];
  const delegation = { enabled: true, externalIssuers };
  assert.match(await renderNotes({ delegation }), /approveSignerNames contains: things\.things\.example\.com\/\*\n/);
  assert.doesNotMatch(await renderNotes({ delegation: { ...delegation, approve: true } }), /approveSignerNames/);
});

test('the notes warn about values that bypass checks, and contain no warning by default', async () => {
  assert.doesNotMatch(await renderNotes({}), /WARNING/);
  assert.match(await renderNotes({ signer: { secretNamespaces: ['a'] } }), /ClusterIssuers of type CA cannot sign/);
  const ignore = { webhook: { failurePolicy: 'Ignore' } };
  assert.match(await renderNotes(ignore), /every request is admitted \(webhook\.failurePolicy: Ignore\)/);
  assert.doesNotMatch(await renderNotes({ ...ignore, admissionPolicy: { enabled: true } }), /is admitted/);
});
