// The API server's answers to requests with the webhook behind it, through kubectl and the API: denials and their
// messages, admissions and their warnings.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { stringify } from 'yaml';
import type { Caller, Refusal } from '../support/api.ts';
import { createExpiredRoot, createRoot } from '../support/certificate-checks.ts';
import { type Cluster, secretData, startCluster } from '../support/cluster.ts';
import { findTools } from '../support/control-plane/find-tools.ts';
import { type CommandResult, runCommand } from '../support/control-plane/run-command.ts';
import { readPki } from '../support/pki.ts';
import {
  approve,
  CSRS,
  type CsrInput,
  csrManifest,
  tryCreateCsr,
  waitUntilFailed,
  waitUntilIssued,
} from '../support/requests.ts';
import { readSignatureCases, readValidationCases } from '../support/vectors.ts';

const DURATION = 'experimental.cert-manager.io/request-duration';
const IS_CA = 'experimental.cert-manager.io/request-is-ca';
const KEY_SECRET = 'experimental.cert-manager.io/private-key-secret-name';
const DENIED_BY_US = 'admission webhook "requests.countersign.io" denied the request';
const ROOT = { certificate: readPki('certificates/root'), key: readPki('keys/p256-root') };

/** The only signature check in the webhook: Kubernetes before 1.33 accepts RSA keys of any size (Go's rsa1024min). */
const BY_THE_WEBHOOK = /^admission webhook .*: spec\.request: .* the RSA public key has \d+ bits, and fewer/;

let cluster: Cluster;
before(async () => {
  cluster = await startCluster({
    values: { webhook: { secretWarnings: true } },
    webhookFlags: ['--secret-warnings=true'],
  });
  const creator = ['csr-creator', '--verb=create', '--resource=certificatesigningrequests'];
  const binding = ['csr-creators', '--clusterrole=csr-creator', '--group=system:authenticated'];
  await cluster.kubectl(['create', 'clusterrole', ...creator]);
  await cluster.kubectl(['create', 'clusterrolebinding', ...binding]);
  await cluster.createNamespace('sandbox');
});
after(() => cluster?.stop());

/** Runs `kubectl create` for one request, as a user with a client certificate or as admin. */
async function kubectlCreate(input: CsrInput, user?: string, ...flags: string[]): Promise<CommandResult> {
  const kubeconfig = user === undefined ? {} : { kubeconfig: await cluster.controlPlane.kubeconfigFor({ user }) };
  const command = { ...kubeconfig, input: stringify(csrManifest(input)) };
  return cluster.controlPlane.kubectl(['create', '-f', '-', ...flags], command);
}

/** Runs a command from a message, as a person would. */
async function paste(command: string): Promise<CommandResult> {
  const path = `${dirname((await findTools(['kubectl'])).kubectl)}:${process.env['PATH']}`;
  const env = { ...process.env, PATH: path, KUBECONFIG: cluster.controlPlane.adminKubeconfig };
  return runCommand('sh', ['-c', command], { env });
}

/** RBAC is cached: a role takes effect a moment after its creation. */
async function untilAnswer(status: number, input: CsrInput, as: Caller): Promise<void> {
  let message = '';
  const ask = async () => {
    const answer = await tryCreateCsr(cluster, input, as);
    message = `${answer.status} ${answer.body.message}`;
    return answer.status === status ? true : undefined;
  };
  await cluster.eventually(`${input.name}: ${status}`, ask).catch(error => assert.fail(`${error.message}\n${message}`));
}

describe('admission', { concurrency: 6 }, () => {
  for (const [namespace, user] of [
    ['123', 'mallory'],
    ['quoted', `o'brien "the" $(user) --all`],
  ] as const) {
    test(`the denial for ${user} shows what to apply so that the request is admitted`, async () => {
      await cluster.createNamespace(namespace);
      const signerName = `issuers.cert-manager.io/${namespace}.my.issuer`;
      const input = { name: `refused-${namespace}`, signerName };
      const answer = await tryCreateCsr(cluster, input, { user });
      assert.deepEqual([answer.status, answer.body.reason], [403, 'DeniedReference']);
      const message = `Requester may not reference Namespaced Issuer ${namespace}/my.issuer`;
      assert.deepEqual(answer.body.details?.causes, [
        { reason: 'DeniedReference', field: 'spec.signerName', message: `${message} (DeniedReference)` },
      ]);

      const { code, stderr } = await kubectlCreate(input, user);
      assert.equal(code, 1);
      const who = `user ${JSON.stringify(user)} cannot reference resource "signers" in API group "cert-manager.io"`;
      const where = `with the name "my.issuer" in the namespace "${namespace}"`;
      assert.ok(stderr.includes(`${DENIED_BY_US}: ${message}: ${who} ${where}`), stderr);
      const role = /^apiVersion: .*?\n(?=\n)/ms.exec(stderr)?.[0];
      await cluster.kubectl(['apply', '-f', '-'], role);
      const binding = await paste(/^kubectl create rolebinding .*$/m.exec(stderr)?.[0] ?? 'false');
      assert.equal(binding.code, 0, binding.stderr);

      await untilAnswer(201, input, { user });
      const other = { name: `other-${namespace}`, signerName: `${signerName}2` };
      assert.equal((await tryCreateCsr(cluster, other, { user })).status, 403);
    });
  }

  const subjects: Readonly<Record<string, { readonly flag: string; readonly as: Caller | 'token' }>> = {
    'a user': { flag: '--user=ann', as: { user: 'ann' } },
    'a group': { flag: '--group=platform', as: { user: 'paul', groups: ['platform'] } },
    'a ServiceAccount': { flag: '--serviceaccount=subjects:builder', as: 'token' },
    'all ServiceAccounts of a namespace': {
      flag: '--group=system:serviceaccounts:elsewhere',
      as: { user: 'system:serviceaccount:elsewhere:any', groups: ['system:serviceaccounts:elsewhere'] },
    },
  };
  test('a user, group or ServiceAccount can be granted one issuer by name, or all by *', async () => {
    await cluster.createNamespace('subjects');
    await cluster.kubectl(['create', 'serviceaccount', 'builder', '-n', 'subjects']);
    const token = (await cluster.kubectl(['create', 'token', 'builder', '-n', 'subjects'])).trim();
    await cluster.createReferencerRole('subjects', 'one', 'only.one');
    await cluster.createReferencerRole('subjects', 'all', '*');
    const bind = (role: string, flag: string, index: number) =>
      cluster.kubectl(['create', 'rolebinding', `${role}-${index}`, `--role=${role}`, flag, '-n', 'subjects']);
    const checkSubject = async ({ flag, as }: { flag: string; as: Caller | 'token' }, index: number) => {
      const caller = as === 'token' ? { token } : as;
      const request = (what: string, issuer: string) => ({
        name: `subject-${index}-${what}`,
        signerName: `issuers.cert-manager.io/subjects.${issuer}`,
      });
      await untilAnswer(403, request('before', 'only.one'), caller);
      await bind('one', flag, index);
      await untilAnswer(201, request('by-name', 'only.one'), caller);
      assert.equal((await tryCreateCsr(cluster, request('other', 'other'), caller)).status, 403);
      await bind('all', flag, index);
      await untilAnswer(201, request('by-star', 'other'), caller);
    };
    await Promise.all(Object.values(subjects).map(checkSubject));
  });

  test('any user who may create requests may use a ClusterIssuer', async () => {
    const input = { name: 'free-for-all', signerName: 'clusterissuers.cert-manager.io/any' };
    assert.equal((await tryCreateCsr(cluster, input, { user: 'nobody-in-particular' })).status, 201);
  });

  test('a dry run gets the same answer, including warnings', async () => {
    const denied = { name: 'dry', signerName: 'issuers.cert-manager.io/sandbox.ca' };
    const fine = { name: 'dry', signerName: 'clusterissuers.cert-manager.io/absent' };
    const wrong = { ...fine, annotations: { [DURATION]: '9m' } };
    for (const [input, code] of [
      [denied, 1],
      [wrong, 1],
      [fine, 0],
    ] as const) {
      const dry = await kubectlCreate(input, 'dora', '--dry-run=server');
      const real = await kubectlCreate(input, 'dora');
      assert.deepEqual([dry.code, dry.stderr], [code, real.stderr]);
      assert.notEqual(dry.stderr, '');
    }
  });

  for (const { name, csr, errors, refusedByApiServer } of readValidationCases()) {
    test(`the API server answers as in the vector: ${name}`, async () => {
      const { status, body } = await cluster.api.call<Refusal>({ method: 'POST', path: CSRS, body: csr });
      if (refusedByApiServer) {
        assert.deepEqual([status, body.reason], [422, 'Invalid']);
        assert.doesNotMatch(body.message, /admission webhook/);
      } else if (errors.length === 0) {
        assert.equal(status, 201, body.message);
      } else {
        const causes = errors.map(error => ({ ...error, message: `${error.message} (${error.reason})` }));
        assert.deepEqual([status, body.reason, body.details?.causes], [422, errors[0]?.reason, causes]);
        const details = causes.map(({ field, message }) => `${field}: ${message}`).join('\n');
        assert.equal(body.message, `${DENIED_BY_US}: ${details}`);
      }
    });
  }

  for (const { name, request, isValid } of readSignatureCases()) {
    test(`the API server ${isValid ? 'accepts' : 'rejects'} the signature: ${name}`, async () => {
      const input = { name: `signature-${randomUUID()}`, signerName: 'issuers.cert-manager.io/sandbox.ca', request };
      const { status, body } = await tryCreateCsr(cluster, input);
      assert.equal(status, isValid ? 201 : 422, body.message);
      if (isValid || BY_THE_WEBHOOK.test(body.message)) return;
      assert.match(body.message, /^CertificateSigningRequest\.certificates\.k8s\.io .* spec\.request: Invalid/);
    });
  }

  test('a missing permission and an invalid field are reported together', async () => {
    const signerName = 'issuers.cert-manager.io/sandbox.ca';
    const input = { name: 'both', signerName, annotations: { [DURATION]: '1d' } };
    const { status, body } = await tryCreateCsr(cluster, input, { user: 'mallory' });
    const reasons = body.details?.causes?.map(({ reason }) => reason);
    assert.deepEqual([status, reasons], [403, ['DeniedReference', 'ErrorParseDuration']]);
  });

  test('kubectl shows each kind of warning for an admitted request', async () => {
    const namespace = await cluster.createNamespace('warned');
    const certificates = {
      ready: ROOT.certificate,
      short: await createRoot(ROOT.key, 'short'),
      ended: await createExpiredRoot(ROOT.key, 'ended'),
    };
    for (const [name, certificate] of Object.entries(certificates))
      await cluster.createSecret(namespace, name, secretData({ ...ROOT, certificate }));
    for (const name of ['ready', 'short', 'ended', 'waiting'])
      await cluster.createIssuer({ namespace, name }, { ca: { secretName: name } });
    await cluster.createIssuer({ namespace, name: 'untyped' }, {});
    await cluster.createIssuer({ namespace, name: 'self' }, { selfSigned: {} });
    for (const name of ['ready', 'short', 'ended', 'self']) await cluster.whenReady({ namespace, name });
    await cluster.eventually('the other says why not', () => cluster.readinessOf({ namespace, name: 'waiting' }));

    for (const [issuer, input, ...texts] of WARNED) {
      const signerName = `issuers.cert-manager.io/${namespace}.${issuer}`;
      let shown = '';
      const isAsExpected = async () => {
        const request = { name: 'warned', signerName, ...input };
        const { code, stderr } = await kubectlCreate(request, undefined, '--dry-run=server');
        assert.equal(code, 0, stderr);
        shown = stderr;
        const lines = stderr.split('\n').slice(0, -1);
        const isExpected = texts.every((text, index) => text.test(lines[index] ?? ''));
        return isExpected && lines.length === texts.length ? true : undefined;
      };
      // The webhook sees a new issuer with a short delay.
      await cluster.eventually('the warnings', isAsExpected, 1_000).catch(() => assert.fail(`${issuer}: ${shown}`));
    }
  });

  test('a permission revoked before approval fails the request', async () => {
    const namespace = await cluster.createNamespace('revoked');
    const signerName = await cluster.createCaIssuer({ namespace, name: 'ca' }, ROOT);
    await cluster.createReferencerRole(namespace, 'referencer', 'ca');
    const binding = ['rolebinding', 'referencers', '-n', namespace];
    await cluster.kubectl(['create', ...binding, '--role=referencer', '--user=rita']);
    for (const name of ['kept', 'revoked'])
      await untilAnswer(201, { name: `permission-${name}`, signerName }, { user: 'rita' });
    await approve(cluster, 'permission-kept');
    await waitUntilIssued(cluster, 'permission-kept');
    await cluster.kubectl(['delete', ...binding]);
    await untilAnswer(403, { name: 'permission-gone', signerName }, { user: 'rita' });
    await approve(cluster, 'permission-revoked');
    const { status } = await waitUntilFailed(cluster, 'permission-revoked');
    assert.deepEqual(
      [status?.certificate, status?.conditions?.map(({ type, reason }) => `${type} ${reason}`)],
      [undefined, ['Approved Tested', 'Failed DeniedReference']],
    );
  });
});

/** The issuer, the request, and the lines that kubectl writes to stderr. */
const WARNED: readonly (readonly [issuer: string, input: Partial<CsrInput>, ...texts: RegExp[]])[] = [
  ['ready', {}],
  [
    'ready',
    { annotations: { [IS_CA]: 'True' } },
    /^Warning: .*request-is-ca: only "true" requests a CA certificate; "True" is ignored$/,
  ],
  [
    'ready',
    { annotations: { [IS_CA]: 'true' } },
    /^Warning: a CA without the usage "cert sign" cannot sign certificates$/,
  ],
  [
    'ready',
    { annotations: { [DURATION]: '1h' }, expirationSeconds: 7_200 },
    /^Warning: spec\.expirationSeconds \(7200\) is ignored: .*request-duration \(1h0m0s\) takes precedence$/,
  ],
  ['absent', {}, /^Warning: Issuer warned\/absent does not exist; the request waits until it is created$/],
  ['untyped', {}, /^Warning: Issuer warned\/untyped has no type in its spec; the request waits until it has one$/],
  [
    'waiting',
    {},
    /^Warning: Issuer warned\/waiting is not Ready; the request waits \(ErrGetKeyPair: .*secrets "waiting" not found\)$/,
    /^Warning: Secret warned\/waiting does not exist; the request waits until it is created$/,
  ],
  [
    'self',
    { annotations: { [KEY_SECRET]: 'later' } },
    /^Warning: Secret warned\/later does not exist; the request waits until it is created$/,
  ],
  ['ended', {}, /^Warning: the CA certificate in Secret warned\/ended expired at 20\d\d-.*Z$/],
  [
    'short',
    { annotations: { [DURATION]: '87600h' } },
    /^Warning: the CA certificate in Secret warned\/short expires at 20.*Z, before the requested expiry \(20.*Z\)$/,
  ],
];
