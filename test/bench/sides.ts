// The two signers as commands for the driver. Runs them and the baselines in alternating order, so that other load on
// the machine affects all of them equally.

import { dirname } from 'node:path';
import { NODE_FLAGS, serviceVariables } from '../../build/compile.ts';
import { BENCH_NAMESPACE, type Figures, type KeyType, logFile, REQUESTER, type World } from './bench-cluster.ts';
import { median as medianOf, type Row, row, type Target } from './row.ts';

export type Side = 'ours' | 'theirs';

/** Number of concurrent requests, on both sides and in the baseline. */
export const IN_FLIGHT = 32;
/** The ClusterIssuer of type Vault. */
export const VAULT_ISSUER = 'vault';
/** Single requests per second. */
const RATE = 20;

export function signerCommand(
  { programs, controlPlane }: World,
  side: Side,
  { issuer = 'ca', peerFlags = [] }: Pick<Load, 'issuer' | 'peerFlags'> = {},
): string {
  const common = `--kubeconfig=${controlPlane.adminKubeconfig} --cluster-resource-namespace=${BENCH_NAMESPACE} --workers=${IN_FLIGHT}`;
  if (side === 'theirs') {
    if (issuer === 'ca' && peerFlags.length === 0) return `${programs.peer} ${common}`;
    const controller = `--controllers=certificatesigningrequests-issuer-${issuer}`;
    return [programs.certManager, 'controllers', controller, common, ...peerFlags].join(' ');
  }
  const { BENCH_SIGNER_FLAGS = '' } = process.env;
  return nodeCommand(programs.signer, `${common} ${BENCH_SIGNER_FLAGS}`);
}

export function approverCommand({ programs, controlPlane }: World): string {
  const { BENCH_APPROVER_FLAGS = '' } = process.env;
  const scope = `--signer-names='clusterissuers.cert-manager.io/*'`;
  return nodeCommand(
    programs.approver,
    `--kubeconfig=${controlPlane.adminKubeconfig} ${scope} ${BENCH_APPROVER_FLAGS}`,
  );
}

function nodeCommand(program: string, flags: string): string {
  const environment = Object.entries(serviceVariables(dirname(program))).map(([name, value]) => `${name}=${value}`);
  const { BENCH_NODE_FLAGS = '' } = process.env;
  const node = `${process.execPath} ${NODE_FLAGS.join(' ')} ${BENCH_NODE_FLAGS}`;
  return `env ${environment.join(' ')} ${node} ${program} --leader-elect=false --http-address=127.0.0.1:0 ${flags}`;
}

/**
 * The baseline without signing: writes a certificate to each CSR as soon as it is approved. No signer can be faster.
 */
export function instantCommand({ programs, controlPlane }: World, signerName: string): string {
  return `${programs.driver} -mode=instant -kubeconfig=${controlPlane.adminKubeconfig} -signer=${signerName}`;
}

export interface Load {
  readonly count: number;
  /** Kind of the requests; defaults to CSRs. */
  readonly kind?: 'csr' | 'pod';
  readonly key?: KeyType;
  /** The type of the ClusterIssuer; defaults to a CA with this type of key. */
  readonly issuer?: 'ca' | 'vault';
  /** For cert-manager's controller; its smallest program has none. */
  readonly peerFlags?: readonly string[];
  /** Whether to keep the requests. */
  readonly keep?: boolean;
  /** Who approves the CSRs when the signer has started; by default they are approved before. */
  readonly approvedBy?: 'driver' | 'approver';
}

export function drain(world: World, side: Side, load: Load): Promise<Figures> {
  const { count, kind = 'csr', keep = false, approvedBy } = load;
  return world.drive('drain', {
    count,
    kind,
    keep: String(keep),
    hold: String(approvedBy !== undefined),
    ...(approvedBy !== undefined && { as: REQUESTER }),
    ...(approvedBy === 'approver' && { beside: approverCommand(world) }),
    ...signing(world, side, load),
  });
}

/** The baseline of a drain: nothing but status writes. */
export function bareWrites(world: World, { count, kind }: Required<Pick<Load, 'count' | 'kind'>>): Promise<Figures> {
  return world.drive('floor', { count, kind, parallel: IN_FLIGHT, signer: signerNameOf({ kind }) });
}

/** Single requests at 20 a second. */
export function latency(
  world: World,
  side: Side,
  { kind = 'csr', count = 200 }: Partial<Pick<Load, 'kind' | 'count'>>,
): Promise<Figures> {
  return world.drive('latency', { count, kind, rate: RATE, ...signing(world, side, { kind }) });
}

export interface Storm {
  readonly count: number;
  readonly accounts: number;
  /** Whether the requests of the pods are created while the signer is running. */
  readonly isLive: boolean;
}

/** A rollout of pods, with CSRs at 20 a second. */
export function storm(world: World, { isLive, ...load }: Storm): Promise<Figures> {
  const csrs = { 'csr-signer': signerNameOf({}), rate: RATE };
  return world.drive('storm', {
    ...load,
    ...csrs,
    live: String(isLive),
    ...signing(world, 'ours', { kind: 'pod' }),
  });
}

function signing(world: World, side: Side, load: Omit<Load, 'count'>) {
  return { signer: signerNameOf(load), command: signerCommand(world, side, load), log: logFile(side) };
}

/** Pods use the Issuer, which needs a permission. */
export function signerNameOf({ kind, key = 'ec', issuer }: Pick<Load, 'kind' | 'key' | 'issuer'>): string {
  const name = issuer === 'vault' ? VAULT_ISSUER : key;
  return kind === 'pod'
    ? `issuers.cert-manager.io/${BENCH_NAMESPACE}.${name}`
    : `clusterissuers.cert-manager.io/${name}`;
}

/**
 * Runs each measurement `runs` times, alternating and reversing the order in every other round. Returns the figures
 * by name.
 */
export async function alternate<Name extends string>(
  runs: number,
  measurements: Readonly<Record<Name, () => Promise<Figures>>>,
): Promise<Readonly<Record<Name, readonly Figures[]>>> {
  const figures = new Map<string, Figures[]>(Object.keys(measurements).map(name => [name, []]));
  for (let round = 0; round < runs; round++) {
    const order = Object.entries<() => Promise<Figures>>(measurements);
    for (const [name, measure] of round % 2 === 0 ? order : order.toReversed()) {
      const measured = await measure();
      process.stderr.write(`  ${name} ${JSON.stringify(measured)}\n`);
      figures.get(name)?.push(measured);
    }
  }
  return Object.fromEntries(figures) as unknown as Record<Name, readonly Figures[]>;
}

/** A figure by its name, or computed from the figures of one run. */
export type Figure = string | ((figures: Figures) => number);

/** Returns the median of one figure. The number of runs must be odd. */
export function median(runs: readonly Figures[], figure: Figure): number {
  return medianOf(valuesOf(runs, figure));
}

function valuesOf(runs: readonly Figures[], figure: Figure): readonly number[] {
  return runs.map(run => (typeof figure === 'string' ? figureOf(run, figure) : figure(run)));
}

/** Throws if the figure is missing. */
export function figureOf(figures: Figures, name: string): number {
  const figure = figures[name];
  if (figure === undefined || !Number.isFinite(figure))
    throw new Error(`figure ${name} is missing in ${JSON.stringify(figures)}`);
  return figure;
}

/** Returns the figure of a run for each of its certificates. */
export function perCertificate(name: string): (figures: Figures) => number {
  return figures => figureOf(figures, name) / figureOf(figures, 'issued');
}

/** Returns the row for one figure, or for one figure of each side. */
export function compare(
  what: string,
  figure: Figure | readonly [ours: Figure, theirs: Figure],
  { ours, theirs }: Readonly<Record<Side, readonly Figures[]>>,
  target: Target,
): Row {
  const [first, second] = typeof figure === 'object' ? figure : [figure, figure];
  return row(what, valuesOf(ours, first), valuesOf(theirs, second), target);
}

/** What one certificate costs the API server, in requests; watches and the requests of other programs left out. */
export interface Cost {
  readonly path: string;
  readonly reads: number;
  readonly writes: number;
  readonly reviews: number;
}

export function costOf(path: string, runs: readonly Figures[]): Cost {
  const each = (name: string) => Number(median(runs, perCertificate(name)).toFixed(3));
  return { path, reads: each('reads'), writes: each('writes'), reviews: each('reviews') };
}

export function formatCosts(measured: readonly { readonly costs?: readonly Cost[] }[]): string {
  const costs = measured.flatMap(each => each.costs ?? []);
  const lines = costs.map(({ path, reads, writes, reviews }) => {
    return `${path}: ${writes} writes, ${reads} reads, ${reviews} access reviews\n`;
  });
  return lines.length === 0 ? '' : `\nrequests to the API server per certificate:\n${lines.join('')}`;
}
