// The cluster of the end-to-end tests: a real node with the images of this checkout, a namespace with an issuer, and
// two users: jane, who may use it, and mallory, who may not. Everything is done with kubectl and helm.

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { Image } from '../../build/docker-archive.ts';
import { Api } from '../support/api.ts';
import { openAuthority } from '../support/control-plane/authority.ts';
import { type CommandResult, runCommand } from '../support/control-plane/run-command.ts';
import type { Programs } from '../support/node/programs.ts';
import { type RealNode, startNode } from '../support/node/real-node.ts';
import { makeServiceImages } from '../support/service-images.ts';

export const NAMESPACE = 'countersign';
export const SIGNER_NAME = 'issuers.cert-manager.io/sandbox.my-issuer';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const CHART = join(ROOT, 'charts', 'countersign');

export type Person = 'admin' | 'jane' | 'mallory';

/** `images`: for pods of the tests, beside those of the services. */
export async function openTestCluster(programs: Programs, images: readonly Image[] = []): Promise<Scene> {
  const node = await startNode({ programs, imageArchives: [await makeServiceImages()], images });
  const kubeconfigs = {
    jane: await node.kubeconfigFor({ user: 'jane' }),
    mallory: await node.kubeconfigFor({ user: 'mallory' }),
  };
  return new Scene(node, await Api.fromKubeconfig(node.adminKubeconfig), kubeconfigs);
}

export class Scene {
  readonly node: RealNode;
  readonly api: Api;
  readonly #kubeconfigs: Readonly<Record<'jane' | 'mallory', string>>;

  constructor(node: RealNode, api: Api, kubeconfigs: Readonly<Record<'jane' | 'mallory', string>>) {
    this.node = node;
    this.api = api;
    this.#kubeconfigs = kubeconfigs;
  }

  async close(): Promise<void> {
    await this.api.close();
    await this.node.stop();
  }

  path(name: string): string {
    return join(this.node.dir, name);
  }

  /** Returns standard output; fails with the command's error output. */
  async kubectl(args: readonly string[], input?: object): Promise<string> {
    const { code, stdout, stderr } = await this.tryKubectl('admin', args, input);
    assert.equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  tryKubectl(who: Person, args: readonly string[], input?: object): Promise<CommandResult> {
    return this.node.kubectl(args, {
      ...(who !== 'admin' && { kubeconfig: this.#kubeconfigs[who] }),
      ...(input !== undefined && { input: stringify(input) }),
    });
  }

  async helm(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.node.helm([...args, '--namespace', NAMESPACE]);
    assert.equal(code, 0, `helm ${args.join(' ')}: ${stderr}\n${stdout}\n${await this.describePods()}`);
    return stdout;
  }

  async describePods(): Promise<string> {
    const pods = await this.node.kubectl(['get', 'pods,events', '-n', NAMESPACE, '-o', 'wide']);
    const logs = await this.node.kubectl([
      'logs',
      '-n',
      NAMESPACE,
      '--prefix',
      '--tail=10',
      '-l',
      'app.kubernetes.io/part-of=countersign',
    ]);
    const test = await this.node.kubectl(['logs', '-n', NAMESPACE, '--tail=5', 'countersign-test']);
    return `${pods.stdout}\n${logs.stdout}\n${test.stdout}`;
  }

  /** Creates a CA in the namespace sandbox, its Issuer, and users who may create CSRs. Needs the CRDs. */
  async furnish(): Promise<void> {
    await openAuthority('Sandbox CA', this.path('ca.crt'), this.path('ca.key'));
    const files = [`--cert=${this.path('ca.crt')}`, `--key=${this.path('ca.key')}`];
    await this.kubectl(['create', 'secret', 'tls', 'my-ca', '-n', 'sandbox', ...files]);
    await this.createIssuer('my-issuer', { ca: { secretName: 'my-ca' } });
    await this.createIssuer('self-signed', { selfSigned: {} });
    const resource = '--resource=certificatesigningrequests';
    await this.kubectl(['create', 'clusterrole', 'requester', '--verb=create,get,list,watch', resource]);
    const users = ['--user=jane', '--user=mallory'];
    await this.kubectl(['create', 'clusterrolebinding', 'requesters', '--clusterrole=requester', ...users]);
  }

  async createIssuer(name: string, spec: object): Promise<void> {
    const issuer = { apiVersion: 'cert-manager.io/v1', kind: 'Issuer', metadata: { name, namespace: 'sandbox' }, spec };
    await this.kubectl(['apply', '-f', '-'], issuer);
  }

  /** Returns a new PKCS#10 request in base64, made with openssl. Its key is in `<name>.key`. */
  async makeRequest(name: string): Promise<string> {
    const [key, csr] = [this.path(`${name}.key`), this.path(`${name}.csr`)];
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key];
    const names = ['-subj', `/CN=${name}.example.com`, '-addext', `subjectAltName=DNS:${name}.example.com`];
    const made = await runCommand('openssl', ['req', '-new', ...kind, ...names, '-out', csr], { env: process.env });
    assert.equal(made.code, 0, made.stderr);
    return (await readFile(csr)).toString('base64');
  }

  /** Writes values of the release to a file, as a user would. */
  async writeValues(name: string, values: object): Promise<string> {
    await writeFile(this.path(name), stringify(values));
    return this.path(name);
  }
}
