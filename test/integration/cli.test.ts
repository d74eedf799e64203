// The kubectl plugin as users run it: `kubectl countersign`, the bundle, a real API server with the chart, and
// dialogues on a pseudo-terminal.

import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { encodeOid, sequence, TAG, tlv } from '@countersign/common/x509/der.ts';
import { bundleCli } from '../../build/cli.ts';
import { openssl } from '../support/certificate-checks.ts';
import { Terminal } from '../support/cli/terminal.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { findTools } from '../support/control-plane/find-tools.ts';
import { type CommandResult, runCommand } from '../support/control-plane/run-command.ts';
import { buildRequest } from '../support/csr-builder.ts';
import { readPki } from '../support/pki.ts';
import { approve, createCsr, csrManifest, failureOf, getCsr, waitUntilIssued } from '../support/requests.ts';

const SIGNER_NAME = 'issuers.cert-manager.io/sandbox.my-ca';
const pair = { certificate: readPki('certificates/root'), key: readPki('keys/p256-root') };

let cluster: Cluster;
let dir = '';
let env: NodeJS.ProcessEnv = {};
/** May create CSRs and use the issuer. */
let jane = '';

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'countersign-cli-'));
  await rename(await bundleCli(dir), join(dir, 'kubectl-countersign'));
  await chmod(join(dir, 'kubectl-countersign'), 0o755);
  const { kubectl } = await findTools(['kubectl']);
  cluster = await startCluster();
  const path = [dir, dirname(kubectl), dirname(process.execPath), process.env['PATH']].join(delimiter);
  env = { PATH: path, HOME: dir, KUBECONFIG: cluster.controlPlane.adminKubeconfig, TERM: 'xterm' };
  await cluster.createNamespace('sandbox');
  await cluster.createCaIssuer({ namespace: 'sandbox', name: 'my-ca' }, pair);
  await cluster.whenReady({ namespace: 'sandbox', name: 'my-ca' });
  await cluster.createReferencerRole('sandbox', 'use-my-ca', 'my-ca');
  await cluster.kubectl(['create', 'rolebinding', 'jane', '-n', 'sandbox', '--role=use-my-ca', '--user=jane']);
  await cluster.kubectl([
    'create',
    'clusterrole',
    'requester',
    '--verb=create,get,list,watch',
    '--resource=certificatesigningrequests.certificates.k8s.io',
  ]);
  await cluster.kubectl([
    'create',
    'clusterrolebinding',
    'requesters',
    '--clusterrole=requester',
    '--user=jane',
    '--user=mallory',
  ]);
  jane = await cluster.controlPlane.kubeconfigFor({ user: 'jane' });
});
after(async () => {
  await cluster?.stop();
  await rm(dir, { recursive: true, force: true });
});

function countersign(args: readonly string[], kubeconfig = env['KUBECONFIG'], input = ''): Promise<CommandResult> {
  return runCommand('kubectl', ['countersign', ...args], { env: { ...env, KUBECONFIG: kubeconfig }, cwd: dir, input });
}

async function isApproved(name: string): Promise<boolean> {
  const { status } = await getCsr(cluster, name);
  return status?.conditions?.some(({ type }) => type === 'Approved') ?? false;
}

describe('kubectl countersign', () => {
  test('requests a certificate that openssl verifies, while an approver approves', async () => {
    const asked = countersign(['request', 'web', '--issuer=my-ca', '-n', 'sandbox', '--dns=web.example'], jane);
    await cluster.eventually('the CSR exists', () => getCsr(cluster, 'web').catch(() => undefined));
    const approved = await countersign(['approve', 'web', '--yes']);
    assert.equal(approved.code, 0, approved.stderr);
    const { code, stdout, stderr } = await asked;
    assert.equal(code, 0, stderr);
    assert.equal(stdout, 'web.crt\nweb.ca.crt\n');
    assert.equal((await stat(join(dir, 'web.key'))).mode & 0o777, 0o600);
    const [crt, ca] = await Promise.all(['web.crt', 'web.ca.crt'].map(file => readFile(join(dir, file), 'utf8')));
    assert.match(
      await openssl(['verify', '-CAfile', 'ca', '-verify_hostname', 'web.example', 'crt'], {
        crt: crt ?? '',
        ca: ca ?? '',
      }),
      /OK/,
    );
  });

  test('explains and lists a pending CSR for the requester, who may read neither issuers nor events', async () => {
    const body = csrManifest({ name: 'janes', signerName: SIGNER_NAME });
    await cluster.kubectl(['create', '-f', '-', '--as=jane'], JSON.stringify(body));
    const { code, stdout, stderr } = await countersign(['explain', 'janes'], jane);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Requester +jane\n[^]*Permission +✓[^]*WaitingApproval[^]*kubectl countersign approve janes/);
    assert.match(stdout, /not known: you may not get issuers\.cert-manager\.io/);
    assert.match(
      (await countersign(['pending'], jane)).stdout,
      /^janes .* jane +sandbox\/my-ca +approval +CN=example/m,
    );
  });

  test('explains from a file what the webhook refuses, and what it accepts', async () => {
    const manifest = JSON.stringify(csrManifest({ name: 'draft', signerName: SIGNER_NAME }));
    await writeFile(join(dir, 'draft.json'), manifest);
    const accepted = await countersign(['explain', '-f', 'draft.json'], jane);
    assert.equal(accepted.code, 0, accepted.stderr);
    assert.match(accepted.stdout, /Admission +✓ the API server accepts the CSR/);
    const mallory = await cluster.controlPlane.kubeconfigFor({ user: 'mallory' });
    const refused = await countersign(['explain', '-f', '-'], mallory, manifest);
    assert.equal(refused.code, 3);
    assert.match(refused.stdout, /denied the request: Requester may not reference[^]*kubectl create rolebinding/);
    assert.equal((await countersign(['explain', 'draft'])).code, 1, 'nothing was created');
  });

  test('kubectl countersign names the missing Secret that an approved CSR waits for', async () => {
    await cluster.createIssuer({ namespace: 'sandbox', name: 'broken' }, { ca: { secretName: 'nope' } });
    await createCsr(cluster, { name: 'stuck', signerName: 'issuers.cert-manager.io/sandbox.broken' });
    await approve(cluster, 'stuck');
    const { stdout } = await countersign(['explain', 'stuck']);
    assert.match(
      stdout,
      /Why it has no certificate \(IssuerNotReady\)[^]*secrets "nope" not found[^]*kubectl describe issuer broken --namespace sandbox/,
    );
    const waited = await countersign(['wait', 'stuck', '--timeout=100ms']);
    assert.equal(waited.code, 4);
  });

  test('waits, and ends at once with the reason if the CSR is denied', async () => {
    await createCsr(cluster, { name: 'unwanted', signerName: SIGNER_NAME });
    const waiting = countersign(['wait', 'unwanted']);
    const denied = await countersign(['deny', 'unwanted', '--yes', '--message=not yours']);
    assert.equal(denied.code, 0, denied.stderr);
    const { code, stderr } = await waiting;
    assert.equal(code, 3);
    assert.match(stderr, /unwanted is Denied: KubectlCountersignDeny: not yours/);
  });

  test('kubectl countersign does not approve what the signer would fail', async () => {
    await cluster.kubectl(['create', 'rolebinding', 'john', '-n', 'sandbox', '--role=use-my-ca', '--user=john']);
    await cluster.kubectl(['create', 'clusterrolebinding', 'john', '--clusterrole=requester', '--user=john']);
    await cluster.kubectl(
      ['create', '-f', '-', '--as=john'],
      JSON.stringify(csrManifest({ name: 'johns', signerName: SIGNER_NAME })),
    );
    await cluster.kubectl(['delete', 'rolebinding', 'john', '-n', 'sandbox']);
    const { code, stderr } = await countersign(['approve', 'johns', '--yes']);
    assert.equal(code, 3);
    assert.match(stderr, /johns cannot be signed as it is[^]*john lacks the verb reference/);
    assert.equal((await countersign(['approve', 'johns', '--yes', '--force'])).code, 0);
    await cluster.eventually('it fails', async () => failureOf(await getCsr(cluster, 'johns')));
    assert.match((await countersign(['explain', 'johns'])).stdout, /State +✗ Failed[^]*\(DeniedReference\)/);
  });

  test('kubectl countersign shows the certificate of a signed CSR, and the CA of its issuer', async () => {
    await createCsr(cluster, { name: 'signed', signerName: SIGNER_NAME });
    await approve(cluster, 'signed');
    await waitUntilIssued(cluster, 'signed');
    assert.match((await countersign(['explain', 'signed'])).stdout, /State +✓ Issued[^]*Issuer +O=Example,CN=root\n/);
    assert.equal((await countersign(['ca', 'my-ca', '-n', 'sandbox'])).stdout, pair.certificate);
  });

  test('kubectl countersign shows the status of the release', async () => {
    const { stdout } = await countersign(['status']);
    assert.match(stdout, /webhook caBundle +✓ expires at/);
    assert.match(stdout, /leader +✓ \S+ renewed the Lease/);
    assert.match(stdout, /Issuer sandbox\/my-ca +✓ Ready; its CA expires at 2126/);
    // The services run as processes here, so the Deployments have no pods.
    assert.match(stdout, /signer replicas +✗ .*0 of 2 replicas ready/);
  });

  test('kubectl countersign completes names of CSRs in the format of kubectl', async () => {
    await createCsr(cluster, { name: 'complete-me', signerName: SIGNER_NAME });
    assert.equal((await countersign(['__complete', 'approve', 'compl'])).stdout, 'complete-me\n:4\n');
  });
});

test('bash completes commands, flags and names with the script of the plugin', async () => {
  const script = `source <(kubectl-countersign completion bash)
for words in 'app' 'explain --out' 'explain complete'; do
  COMP_WORDS=(kubectl-countersign $words); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
  _kubectl_countersign; echo "\${COMPREPLY[*]}"
done`;
  const { stdout, stderr } = await runCommand('bash', ['-c', script], { env, cwd: dir });
  assert.equal(stdout, 'approve\n--output\ncomplete-me\n', stderr);
});

describe('kubectl countersign on a terminal', () => {
  const evil = '\u001b]0;owned\u0007\u001b[2J';
  const subject = sequence(tlv(TAG.set, sequence(encodeOid('2.5.4.3'), tlv(0x0c, Buffer.from(evil)))));

  async function open(name: string, extra: NodeJS.ProcessEnv = {}): Promise<Terminal> {
    await createCsr(cluster, { name, signerName: SIGNER_NAME, request: buildRequest([], undefined, subject) });
    return new Terminal(`kubectl countersign approve ${name}`, { ...env, ...extra });
  }

  test('kubectl countersign on a terminal approves after a yes, in colours, and shows no escape sequence of the tenant', async t => {
    const terminal = await open('asked');
    t.after(() => terminal.kill());
    await terminal.sees(/Approve asked\?/);
    assert.equal(await isApproved('asked'), false);
    assert.ok(terminal.shown.includes('\u001b[1mCertificateSigningRequest asked\u001b[22m'));
    assert.match(terminal.shown, /CN=\\x1b\]0\\;owned\\x07\\x1b\[2J/);
    assert.ok(!terminal.shown.includes(evil) && !terminal.shown.includes('\u0007'));
    terminal.type('y\n');
    assert.equal(await terminal.code(), 0);
    assert.equal(await isApproved('asked'), true);
  });

  test('kubectl countersign on a terminal approves nothing that changed while it was shown', async t => {
    const terminal = await open('changed');
    t.after(() => terminal.kill());
    await terminal.sees(/Approve changed\?/);
    await cluster.kubectl(['annotate', 'csr', 'changed', 'example.com/note=new']);
    terminal.type('yes\n');
    assert.equal(await terminal.code(), 5);
    assert.match(terminal.shown, /it changed after it was shown/);
    assert.equal(await isApproved('changed'), false);
  });

  test('kubectl countersign on a terminal approves nothing after a no, the end of the input, or Ctrl-C', async () => {
    for (const [name, typed, code] of [
      ['no', 'n\n', 5],
      ['end', '\u0004', 5],
      ['interrupt', '\u0003', 130],
    ] as const) {
      const terminal = await open(name);
      await terminal.sees(/\?.*\[y\/N\]/);
      terminal.type(typed);
      assert.equal(await terminal.code(), code, `${name}: ${terminal.shown}`);
      assert.equal(await isApproved(name), false);
    }
  });

  test('kubectl countersign on a terminal uses no colours with NO_COLOR', async t => {
    const terminal = await open('plain', { NO_COLOR: '1' });
    t.after(() => terminal.kill());
    await terminal.sees(/Approve plain\?/);
    assert.ok(!['\u001b[1m', '\u001b[2m', '\u001b[33m'].some(code => terminal.shown.includes(code)));
    terminal.type('n\n');
    assert.equal(await terminal.code(), 5);
  });

  test('kubectl countersign on a terminal shows progress while it waits', async t => {
    await createCsr(cluster, { name: 'slow', signerName: SIGNER_NAME });
    const terminal = new Terminal('kubectl countersign wait slow', env);
    t.after(() => terminal.kill());
    await terminal.sees(/slow waits for approval … \ds/);
    await approve(cluster, 'slow');
    assert.equal(await terminal.code(), 0);
    assert.match(terminal.shown, /\/slow issued/);
  });
});
