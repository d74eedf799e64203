// A webhook that requires client certificates, and a kube-apiserver that is configured to present one.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { Api } from '../support/api.ts';
import { Cluster } from '../support/cluster.ts';
import { openAuthority } from '../support/control-plane/authority.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane/control-plane.ts';
import { freePort } from '../support/control-plane/loopback.ts';
import { install } from '../support/installation.ts';
import { tryCreateCsr } from '../support/requests.ts';

const API_VERSION = 'apiserver.config.k8s.io/v1';

let dir: string;
let controlPlane: ControlPlane | undefined;
let cluster: Cluster | undefined;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'client-certificate-'));
  const webhookPort = await freePort();
  const flag = `--admission-control-config-file=${await configure(`127.0.0.1:${webhookPort}`)}`;
  controlPlane = await startControlPlane({ apiServerFlags: [flag] });
  const webhookFlags = ['--client-ca-file', join(dir, 'ca.crt')];
  const installation = await install(controlPlane, { webhookFlags, webhookPort });
  cluster = new Cluster(controlPlane, installation, await Api.fromKubeconfig(controlPlane.adminKubeconfig));
});
after(async () => {
  await (cluster ?? controlPlane)?.stop();
  await rm(dir, { recursive: true, force: true });
});

/** Writes the configuration from docs/install.md for a webhook at this host and port, and returns its path. */
async function configure(host: string): Promise<string> {
  const file = (name: string) => join(dir, name);
  const authority = await openAuthority('callers', file('ca.crt'), file('ca.key'));
  const { certPem, keyPem } = await authority.issueClient({ user: 'kube-apiserver' });
  await writeFile(file('client.crt'), certPem);
  await writeFile(file('client.key'), keyPem, { mode: 0o600 });
  const user = { 'client-certificate': file('client.crt'), 'client-key': file('client.key') };
  const kubeconfig = { apiVersion: 'v1', kind: 'Config', users: [{ name: host, user }] };
  await writeFile(file('kubeconfig'), JSON.stringify(kubeconfig));
  const kind = 'WebhookAdmissionConfiguration';
  const configuration = { apiVersion: API_VERSION, kind, kubeConfigFile: file('kubeconfig') };
  const plugins = [{ name: 'ValidatingAdmissionWebhook', configuration }];
  await writeFile(file('config'), JSON.stringify({ apiVersion: API_VERSION, kind: 'AdmissionConfiguration', plugins }));
  return file('config');
}

test('the API server presents its certificate, and the webhook answers it', async () => {
  assert.ok(cluster);
  const signerName = 'issuers.cert-manager.io/no-namespace';
  const refusal = await tryCreateCsr(cluster, { name: 'certified', signerName });
  assert.match(JSON.stringify(refusal), /requests\.countersign\.io.* denied the request/);
});

test('a caller without a certificate gets no answer', async () => {
  assert.ok(cluster);
  const { hostname, port } = new URL(cluster.installation.webhookUrl);
  const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false });
  let answer = '';
  socket.on('error', () => undefined).on('data', data => (answer += String(data)));
  socket.on('secureConnect', () => socket.write('POST /validate HTTP/1.1\r\nhost: x\r\n\r\n'));
  await new Promise(resolve => socket.on('close', resolve));
  assert.equal(answer, '');
});
