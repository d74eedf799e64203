// The scene of end-to-end tests, with cert-manager in pods, and a Vault, an ACME and a Venafi server on the address of
// the node, outside of the pods. Everything in the cluster is done with kubectl and helm.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { openAuthority } from '../support/control-plane/authority.ts';
import { logTail } from '../support/control-plane/child.ts';
import { findTools } from '../support/control-plane/find-tools.ts';
import { runCommand } from '../support/control-plane/run-command.ts';
import { webhookConfigurations } from '../support/issuers/cert-manager.ts';
import { AWAIT_THINGS, THING, THING_DEFINITIONS, ThingController } from '../support/issuers/thing-issuer.ts';
import { NODE_ADDRESS } from '../support/node/node-sandbox.ts';
import { programImage } from '../support/node/program-image.ts';
import type { Programs } from '../support/node/programs.ts';
import {
  CERT_MANAGER_IMAGE,
  CERT_MANAGER_NAMESPACE,
  CERT_MANAGER_PROGRAMS,
  callThroughService,
  certManagerObjects,
  WEBHOOK_HOST,
} from './cert-manager-pods.ts';
import { FILE, type IssuerServers, PROGRAM } from './issuer-servers.ts';
import { NAMESPACE, openTestCluster, type Scene } from './test-cluster.ts';

/** On a busy machine. */
const SERVERS_READY_MS = 90_000;

export class IssuerScene {
  readonly scene: Scene;
  readonly servers: IssuerServers;
  #things: ThingController | undefined;

  private constructor(scene: Scene, servers: IssuerServers) {
    this.scene = scene;
    this.servers = servers;
  }

  static async open(programs: Programs): Promise<IssuerScene> {
    const tools = await findTools(['cert-manager', 'cert-manager-crds', 'bao', 'pebble', 'pebble-challtestsrv']);
    const scene = await openTestCluster(programs, [await programImage(CERT_MANAGER_IMAGE, tools['cert-manager'])]);
    try {
      const opened = new IssuerScene(scene, await startServers(scene));
      await opened.#installCertManager(tools['cert-manager-crds']);
      return opened;
    } catch (error) {
      await scene.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    try {
      await this.#things?.stop();
    } finally {
      await this.scene.close();
    }
  }

  /** An external issuer and its controller, which runs in this process. */
  async startThing(name: string): Promise<void> {
    await this.scene.kubectl(['apply', '-f', '-'], THING_DEFINITIONS);
    await this.scene.kubectl(AWAIT_THINGS);
    this.#things = await ThingController.start(this.scene);
    const metadata = { namespace: 'sandbox', name };
    const issuer = { apiVersion: `${THING.group}/v1`, kind: THING.kind, metadata, spec: { does: 'issue' } };
    await this.scene.kubectl(['create', '-f', '-'], issuer);
  }

  /** The CA of external issuers. */
  get thingRoot(): string {
    return this.#things?.rootPem ?? '';
  }

  /** `content`: of a Secret, in stringData. */
  async createSecret(namespace: string, name: string, content: object): Promise<void> {
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name }, stringData: content };
    await this.scene.kubectl(['create', '-f', '-'], secret);
  }

  async createClusterIssuer(name: string, spec: object): Promise<void> {
    const issuer = { apiVersion: 'cert-manager.io/v1', kind: 'ClusterIssuer', metadata: { name }, spec };
    await this.scene.kubectl(['create', '-f', '-'], issuer);
  }

  /** Waits for the certificate of a CSR, and verifies it with openssl. Returns the leaf. */
  async verify(name: string, rootOf: (chainPem: string) => string | Promise<string>): Promise<X509Certificate> {
    const { scene } = this;
    const certificate = 'jsonpath={.status.certificate}';
    const wait = ['wait', `csr/${name}`, `--for=${certificate}`, '--timeout=90s'];
    const waited = await scene.tryKubectl('admin', wait);
    assert.equal(waited.code, 0, `${waited.stderr}${await this.#explain(name)}`);
    const encoded = await scene.kubectl(['get', 'csr', name, '-o', certificate]);
    const chain = Buffer.from(encoded, 'base64').toString();
    const [root, chainFile] = [scene.path(`${name}-root.pem`), scene.path(`${name}-chain.pem`)];
    await writeFile(root, await rootOf(chain));
    await writeFile(chainFile, chain);
    const args = ['verify', '-CAfile', root, '-untrusted', chainFile, chainFile];
    const { code, stdout, stderr } = await runCommand('openssl', args, { env: process.env });
    assert.equal(code, 0, `${stdout}${stderr}${chain}`);
    return new X509Certificate(chain);
  }

  /** Why a CSR has no certificate. */
  async #explain(name: string): Promise<string> {
    const show = async (...args: string[]) => (await this.scene.tryKubectl('admin', args)).stdout;
    const events = await show('describe', 'csr', name);
    const requests = await show(
      'get',
      'issuers,clusterissuers,certificaterequests,orders,challenges',
      '-A',
      '-o',
      'wide',
    );
    const logs = CERT_MANAGER_PROGRAMS.map(program =>
      show('logs', '-n', CERT_MANAGER_NAMESPACE, `deployment/${program}`, '--tail=15'),
    );
    return [events, requests, ...(await Promise.all(logs)), await this.scene.describePods()].join('\n');
  }

  async #installCertManager(crds: string): Promise<void> {
    const { scene, servers } = this;
    await scene.kubectl(['apply', '--server-side', '-f', crds]);
    const authority = await openAuthority('cert-manager', scene.path('webhook-ca.crt'), scene.path('webhook-ca.key'));
    const serving = await authority.issueServing('webhook', [WEBHOOK_HOST], []);
    const settings = { clusterResourceNamespace: NAMESPACE, nameserver: servers.nameserver, serving };
    const items = certManagerObjects(settings);
    await scene.kubectl(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'List', items });
    for (const program of CERT_MANAGER_PROGRAMS) {
      const rollout = ['rollout', 'status', `deployment/${program}`, '-n', CERT_MANAGER_NAMESPACE, '--timeout=90s'];
      await scene.kubectl(rollout);
    }
    const file = scene.path('cert-manager-webhook.yaml');
    await writeFile(file, webhookConfigurations(callThroughService(authority.certPem)));
    await scene.kubectl(['create', '-f', file]);
  }
}

async function startServers({ node }: Scene): Promise<IssuerServers> {
  const program = node.startProgram('issuer-servers', process.execPath, [PROGRAM, node.dir, NODE_ADDRESS]);
  const read = async () => {
    if (program.ending !== undefined) throw new Error(`${program.ending}: ${logTail(program.logPath)}`);
    const text = await readFile(`${node.dir}/${FILE}`, 'utf8').catch(() => undefined);
    return text === undefined ? undefined : (JSON.parse(text) as IssuerServers);
  };
  return node.eventually('the servers of the issuers run', read, SERVERS_READY_MS);
}
