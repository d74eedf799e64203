// The two signers as commands for the driver. Runs them and the baselines in alternating order, so that other load on
// the machine affects all of them equally.

import { compileCacheVariables, NODE_FLAGS } from '../../build/compile.ts';
import { BENCH_NAMESPACE, type Figures, type KeyType, logFile, REQUESTER, type World } from './bench-cluster.ts';
import { FOLDER } from './programs.ts';
import { type Row, row, type Target } from './row.ts';

export type Side = 'ours' | 'theirs';

/** Number of concurrent requests, on both sides and in the baseline. */
export const IN_FLIGHT = 32;
/** Single requests per second. */
const RATE = 20;

export function signerCommand({ programs, controlPlane }: World, side: Side): string {
  const common = `--kubeconfig=${controlPlane.adminKubeconfig} --cluster-resource-namespace=${BENCH_NAMESPACE} --workers=${IN_FLIGHT}`;
  if (side === 'theirs') return `${programs.peer} ${common}`;
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
  // Compiled before the first run, as in an image.
  const environment = Object.entries(compileCacheVariables(FOLDER)).map(([name, value]) => `${name}=${value}`);
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
  /** Whether to keep the requests. */
  readonly keep?: boolean;
  /** Who approves the CSRs when the signer has started; by default they are approved before. */
  readonly approvedBy?: 'driver' | 'approver';
}

export function drain(world: World, side: Side, load: Load): Promise<Figures> {
  const { count, kind = 'csr', key = 'ec', keep = false, approvedBy } = load;
  return world.drive('drain', {
    count,
    kind,
    keep: String(keep),
    hold: String(approvedBy !== undefined),
    ...(approvedBy !== undefined && { as: REQUESTER }),
    ...(approvedBy === 'approver' && { beside: approverCommand(world) }),
    ...signing(world, side, { kind, key }),
  });
}

/** The baseline of a drain: nothing but status writes. */
export function bareWrites(world: World, { count, kind }: Required<Pick<Load, 'count' | 'kind'>>): Promise<Figures> {
  return world.drive('floor', { count, kind, parallel: IN_FLIGHT, signer: signerNameOf(kind, 'ec') });
}

/** Single requests at 20 a second. */
export function latency(
  world: World,
  side: Side,
  { kind = 'csr', count = 200 }: Partial<Pick<Load, 'kind' | 'count'>>,
): Promise<Figures> {
  return world.drive('latency', { count, kind, rate: RATE, ...signing(world, side, { kind, key: 'ec' }) });
}

export interface Storm {
  readonly count: number;
  readonly accounts: number;
  /** Whether the requests of the pods are created while the signer is running. */
  readonly isLive: boolean;
}

/** A rollout of pods, with CSRs at 20 a second. */
export function storm(world: World, { isLive, ...load }: Storm): Promise<Figures> {
  const csrs = { 'csr-signer': signerNameOf('csr', 'ec'), rate: RATE };
  return world.drive('storm', {
    ...load,
    ...csrs,
    live: String(isLive),
    ...signing(world, 'ours', { kind: 'pod', key: 'ec' }),
  });
}

function signing(world: World, side: Side, { kind, key }: Required<Pick<Load, 'kind' | 'key'>>) {
  return { signer: signerNameOf(kind, key), command: signerCommand(world, side), log: logFile(side) };
}

/** Pods use the Issuer, which needs a permission. */
export function signerNameOf(kind: 'csr' | 'pod', key: KeyType): string {
  return kind === 'pod' ? `issuers.cert-manager.io/${BENCH_NAMESPACE}.${key}` : `clusterissuers.cert-manager.io/${key}`;
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

/** Returns the median of one figure. The number of runs must be odd. */
export function median(runs: readonly Figures[], figure: string): number {
  const values = runs.map(run => figureOf(run, figure)).toSorted((a, b) => a - b);
  const middle = values[(values.length - 1) / 2];
  if (middle === undefined) throw new Error(`the median needs an odd number of runs, got ${values.length}`);
  return middle;
}

/** Throws if the figure is missing. */
export function figureOf(figures: Figures, name: string): number {
  const figure = figures[name];
  if (figure === undefined || !Number.isFinite(figure))
    throw new Error(`figure ${name} is missing in ${JSON.stringify(figures)}`);
  return figure;
}

/** Returns the row for one figure: the medians of both sides. */
export function compare(
  what: string,
  figure: string,
  { ours, theirs }: Readonly<Record<Side, readonly Figures[]>>,
  target: Target,
): Row {
  return row(what, median(ours, figure), median(theirs, figure), target);
}
