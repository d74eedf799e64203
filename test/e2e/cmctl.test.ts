// The section on cmctl of docs/clients.md on a real API server, with cmctl's own code: the manifest of the page gets
// its certificate.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openssl } from '../support/certificate-checks.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { type CommandResult, runCommand } from '../support/control-plane/run-command.ts';
import { findModuleTool, MODULE_TOOLS } from '../support/docker/module-tool.ts';
import { readBlock } from '../support/pasted-commands.ts';
import { readPki } from '../support/pki.ts';
import { approve, CSRS, getCsr } from '../support/requests.ts';
import { createAccount } from '../support/service-account.ts';

const PAGE = await readFile(new URL('../../docs/clients.md', import.meta.url), 'utf8');
const ROOT = { certificate: readPki('certificates/root'), key: readPki('keys/p256-root') };
const USER = { account: 'cmctl', namespace: 'sandbox' };
const NAME = 'my-service';

const options = process.env['TEST_LONG'] === '1' ? {} : { skip: 'builds cmctl for minutes: set TEST_LONG=1' };

describe('cmctl', options, () => {
  let cluster: Cluster;
  let cmctl: string;
  let kubeconfig: string;
  const file = (name: string) => join(cluster.controlPlane.dir, name);

  before(async () => {
    cmctl = await findModuleTool(MODULE_TOOLS.cmctl);
    cluster = await startCluster();
    await cluster.createNamespace(USER.namespace);
    await cluster.createCaIssuer({ namespace: 'sandbox', name: 'my-issuer' }, ROOT);
    const resources = ['certificatesigningrequests'];
    kubeconfig = await createAccount(cluster, USER, [
      { apiGroups: ['certificates.k8s.io'], resources, verbs: ['create', 'get'] },
    ]);
    await writeFile(file('my-certificate.yaml'), readBlock(PAGE, 'cmctl', 'yaml'));
  });
  after(() => cluster?.stop());

  /** Runs the command of the page with another timeout. */
  function runAsShown(timeout: string): Promise<CommandResult> {
    const shown = readBlock(PAGE, 'cmctl', 'sh').trim().split(' ');
    assert.deepEqual(shown.slice(0, 4), ['cmctl', 'x', 'create', 'certificatesigningrequest']);
    const env = { ...process.env, KUBECONFIG: kubeconfig };
    return runCommand(cmctl, [...shown.slice(4, -1), timeout], { env, cwd: cluster.controlPlane.dir });
  }

  test('a user without permission reads the denial of the webhook at once', async () => {
    const { code, stderr } = await runAsShown('30s');
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^Error: error creating CertificateSigningRequest: admission webhook "requests\.countersign\.io" denied the request: Requester may not reference Namespaced Issuer sandbox\/my-issuer[^]*kind: Role\n/,
    );
  });

  test('a user with permission gets the key and the certificate as files after the approval', async () => {
    await cluster.createReferencerRole('sandbox', 'cmctl', 'my-issuer');
    const subject = `--serviceaccount=${USER.namespace}:${USER.account}`;
    await cluster.kubectl(['create', 'rolebinding', 'cmctl', '-n', 'sandbox', '--role=cmctl', subject]);
    const asked = runAsShown('60s');
    await cluster.eventually('cmctl has created its CSR', async () => {
      const { status } = await cluster.api.call({ path: `${CSRS}/${NAME}` });
      return status === 200 || undefined;
    });
    assert.equal((await getCsr(cluster, NAME)).status?.certificate, undefined);
    await approve(cluster, NAME);
    const { code, stdout, stderr } = await asked;
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Certificate written to file my-service\.crt/);
    const [leaf, key] = await Promise.all(['crt', 'key'].map(type => readFile(file(`${NAME}.${type}`), 'utf8')));
    await openssl(['verify', '-CAfile', 'root', 'leaf'], { leaf: leaf!, root: ROOT.certificate });
    const certificate = new X509Certificate(leaf!);
    assert.equal(certificate.subjectAltName, 'DNS:my-service.sandbox.svc');
    assert.equal(+certificate.validToDate - +certificate.validFromDate, 24 * 3_600_000);
    const publicKey = await openssl(['pkey', '-in', 'key', '-pubout'], { key: key! });
    assert.equal(certificate.publicKey.export({ format: 'pem', type: 'spki' }), publicKey);
  });

  test('a CSR that is denied ends as a timeout', async () => {
    await cluster.api.call({ method: 'DELETE', path: `${CSRS}/${NAME}` });
    const asked = runAsShown('5s');
    await cluster.eventually('cmctl has created its CSR', async () => {
      const { status } = await cluster.api.call({ path: `${CSRS}/${NAME}` });
      return status === 200 || undefined;
    });
    await cluster.kubectl(['certificate', 'deny', NAME]);
    const { code, stderr } = await asked;
    assert.equal(code, 1);
    assert.match(stderr, /^Error: error when waiting for CertificateSigningRequest to be signed: /);
  });
});
