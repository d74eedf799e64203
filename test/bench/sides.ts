// The two signers as commands for the driver. Runs them and the baselines in alternating order, so that other load on
// the machine affects all of them equally.

import { compileCacheVariables, NODE_FLAGS } from '../../build/compile.ts';
import { BENCH_NAMESPACE, type Figures, type KeyType, logFile, type World } from './bench-cluster.ts';
import { FOLDER } from './programs.ts';
import { type Row, row, type Target } from './row.ts';

export type Side = 'ours' | 'theirs';

/** Number of concurrent requests, on both sides and in the baseline. */
export const IN_FLIGHT = 32;

export function signerCommand({ programs, controlPlane }: World, side: Side): string {
  const common = `--kubeconfig=${controlPlane.adminKubeconfig} --cluster-resource-namespace=${BENCH_NAMESPACE} --workers=${IN_FLIGHT}`;
  if (side === 'theirs') return `${programs.peer} ${common}`;
  // Compiled before the first run, as in an image.
  const environment = Object.entries(compileCacheVariables(FOLDER)).map(([name, value]) => `${name}=${value}`);
  const { BENCH_NODE_FLAGS = '', BENCH_SIGNER_FLAGS = '' } = process.env;
  const node = `${process.execPath} ${NODE_FLAGS.join(' ')} ${BENCH_NODE_FLAGS}`;
  return `env ${environment.join(' ')} ${node} ${programs.signer} ${common} --leader-elect=false --http-address=127.0.0.1:0 ${BENCH_SIGNER_FLAGS}`;
}

/**
 * The baseline without signing: writes a certificate to each CSR as soon as it is approved. No signer can be faster.
 */
export function instantCommand({ programs, controlPlane }: World, signerName: string): string {
  return `${programs.driver} -mode=instant -kubeconfig=${controlPlane.adminKubeconfig} -signer=${signerName}`;
}

export interface Load {
  readonly count: number;
  readonly key?: KeyType;
  /** Whether to keep the CSRs. */
  readonly keep?: boolean;
}

export function drain(world: World, side: Side, { count, key = 'ec', keep = false }: Load): Promise<Figures> {
  return world.drive('drain', {
    count,
    keep: String(keep),
    signer: `clusterissuers.cert-manager.io/${key}`,
    command: signerCommand(world, side),
    log: logFile(side),
  });
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
