// The control plane of the benchmark: the chart's CRDs and roles, one ClusterIssuer and Issuer for each key type, and a
// user and pods who may reference the Issuer.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type ControlPlane, startControlPlane } from '../support/control-plane/control-plane.ts';
import { freePort } from '../support/control-plane/loopback.ts';
import type { Progress } from '../support/control-plane/progress.ts';
import { runCommand } from '../support/control-plane/run-command.ts';
import { Installation } from '../support/installation.ts';
import { FOLDER, type Programs } from './programs.ts';

export const BENCH_NAMESPACE = 'bench';
/** Where the driver creates its pods. */
export const POD_NAMESPACE = 'bench-pods';
export const REQUESTER = 'bench-requester';
export type KeyType = 'ec' | 'rsa';

/** The figures that the driver prints, by name. */
export type Figures = Readonly<Record<string, number>>;

export interface World {
  readonly controlPlane: ControlPlane;
  readonly programs: Programs;
  readonly isQuick: boolean;
  /** The port of the webhook in its configuration. */
  readonly webhookPort: number;
  /** Runs the driver once in the given mode with the given flags. */
  readonly drive: (mode: string, flags?: Flags) => Promise<Figures>;
  readonly kubectl: (args: readonly string[], input?: string) => Promise<string>;
  readonly setWebhook: (isEnabled: boolean) => Promise<void>;
  readonly stop: () => Promise<void>;
}

export interface BenchOptions {
  readonly progress: Progress;
  readonly apiServerFlags?: readonly string[];
  /** Whether to send a fiftieth of the requests, to see that the benchmark works. */
  readonly isQuick: boolean;
}

export async function createBenchCluster(programs: Programs, options: BenchOptions): Promise<World> {
  const { progress, apiServerFlags = [], isQuick } = options;
  const controlPlane = await startControlPlane({ progress, apiServerFlags });
  try {
    return await setUp(controlPlane, programs, isQuick);
  } catch (error) {
    await controlPlane.stop();
    throw error;
  }
}

/** For the CRD of ApprovalPolicies. */
const VALUES = { approver: { enabled: true, signerNames: ['clusterissuers.cert-manager.io/*'] } };

async function setUp(controlPlane: ControlPlane, programs: Programs, isQuick: boolean): Promise<World> {
  await mkdir(FOLDER, { recursive: true });
  const webhookPort = await freePort();
  const installation = new Installation(controlPlane, webhookPort, { values: VALUES });
  await installation.release();
  const kubectl = installation.kubectl.bind(installation);
  const configuration = await kubectl(['get', 'validatingwebhookconfiguration', '-o', 'json']);
  const world: World = {
    controlPlane,
    programs,
    webhookPort,
    kubectl,
    isQuick,
    drive: (mode, flags = {}) => runDriver(controlPlane, programs, mode, isQuick ? reduce(flags) : flags),
    setWebhook: async isEnabled => {
      const { items } = JSON.parse(configuration) as { items: { metadata: Record<string, unknown> }[] };
      for (const { metadata } of items)
        for (const key of ['uid', 'resourceVersion', 'managedFields']) delete metadata[key];
      const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
      await kubectl([isEnabled ? 'apply' : 'delete', '-f', '-'], list);
    },
    stop: () => controlPlane.stop(),
  };
  await world.setWebhook(false);
  await kubectl(['create', 'namespace', BENCH_NAMESPACE]);
  for (const key of ['ec', 'rsa'] as const) await createIssuers(world, key);
  await allowRequester(world);
  return world;
}

type Flags = Readonly<Record<string, string | number>>;

function reduce(flags: Flags): Flags {
  return 'count' in flags ? { ...flags, count: Math.ceil(Number(flags['count']) / 50) } : flags;
}

async function runDriver(
  controlPlane: ControlPlane,
  { driver }: Programs,
  mode: string,
  flags: Flags,
): Promise<Figures> {
  const given = Object.entries({ kubeconfig: controlPlane.adminKubeconfig, ...flags });
  const args = [`-mode=${mode}`, ...given.map(([name, value]) => `-${name}=${value}`)];
  const { code, stdout, stderr } = await runCommand(driver, args, { env: process.env });
  if (code !== 0) throw new Error(`driver ${args.join(' ')}: ${stderr}`);
  return JSON.parse(stdout) as Figures;
}

const CA_READY = { reason: 'KeyPairVerified', message: 'Signing CA verified' };

/** Creates a ClusterIssuer and an Issuer named after the key type. */
async function createIssuers(world: World, key: KeyType): Promise<void> {
  const ca = (await world.drive('ca', { signer: key })) as unknown as Record<'certificate' | 'key', string>;
  const secretName = `ca-${key}`;
  await createSecret(world, secretName, { 'tls.crt': ca.certificate, 'tls.key': ca.key });
  for (const kind of ['ClusterIssuer', 'Issuer'] as const)
    await createIssuer(world, { kind, name: key, spec: { ca: { secretName } }, ready: CA_READY });
}

/** Where both sides read the Secrets of ClusterIssuers and of the Issuers. */
export async function createSecret(
  { kubectl }: World,
  name: string,
  stringData: Readonly<Record<string, string>>,
): Promise<void> {
  const metadata = { name, namespace: BENCH_NAMESPACE };
  await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata, stringData }));
}

export interface BenchIssuer {
  readonly kind: 'ClusterIssuer' | 'Issuer';
  readonly name: string;
  readonly spec: object;
  /** Of the Ready condition, as both sides write it. */
  readonly ready: { readonly reason: string; readonly message: string };
}

/** Marks it Ready, so that neither side has to. */
export async function createIssuer({ kubectl }: World, { kind, name, spec, ready }: BenchIssuer): Promise<void> {
  const metadata = kind === 'Issuer' ? { name, namespace: BENCH_NAMESPACE } : { name };
  const issuer = { apiVersion: 'cert-manager.io/v1', kind, metadata, spec };
  await kubectl(['apply', '-f', '-'], JSON.stringify(issuer));
  const since = { observedGeneration: 1, lastTransitionTime: '2026-01-01T00:00:00Z' };
  const conditions = [{ type: 'Ready', status: 'True', ...ready, ...since }];
  const patch = ['--subresource=status', '--type=merge', '-p', JSON.stringify({ status: { conditions } })];
  await kubectl(['patch', kind, name, '-n', BENCH_NAMESPACE, ...patch]);
}

/** Allows the requester to create CSRs, and the requester and all pods to reference the Issuer. */
async function allowRequester({ kubectl }: World): Promise<void> {
  const user = `--user=${REQUESTER}`;
  await kubectl(['create', 'clusterrole', 'bench-creator', '--verb=create', '--resource=certificatesigningrequests']);
  await kubectl(['create', 'clusterrolebinding', 'bench-creator', '--clusterrole=bench-creator', user]);
  const grant = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'bench-referencer', namespace: BENCH_NAMESPACE },
    rules: [{ apiGroups: ['cert-manager.io'], resources: ['signers'], verbs: ['reference'], resourceNames: ['ec'] }],
  };
  await kubectl(['apply', '-f', '-'], JSON.stringify(grant));
  const subjects = [user, `--group=system:serviceaccounts:${POD_NAMESPACE}`];
  const binding = ['create', 'rolebinding', 'bench-referencer', '-n', BENCH_NAMESPACE, '--role=bench-referencer'];
  await kubectl([...binding, ...subjects]);
}

/** Returns the log file of a benchmark process. */
export function logFile(name: string): string {
  return join(FOLDER, `${name}.log`);
}
