// One row of the results: the measured values, their ratio, its spread over the runs, and whether it meets its target.
// Also formats the table.

export interface Row {
  readonly what: string;
  /** Medians of the runs. */
  readonly ours: number;
  readonly theirs: number;
  /** `ours` divided by `theirs`. */
  readonly ratio: number;
  /** The lowest and the highest ratio of a pair of runs, one after the other. */
  readonly lowest: number;
  readonly highest: number;
  readonly target: string;
  /** null for a row without a target, which is there for context. */
  readonly met: boolean | null;
}

export interface Target {
  readonly bound: 'at least' | 'at most' | 'none';
  readonly ratio: number;
  /** Whether it must be met by each pair of runs; by default by the medians. */
  readonly inEveryRun?: boolean;
}

/** A target for rates. */
export function atLeast(ratio: number): Target {
  return { bound: 'at least', ratio };
}

/** A target for costs. */
export function atMost(ratio: number): Target {
  return { bound: 'at most', ratio };
}

export function inEveryRun(target: Target): Target {
  return { ...target, inEveryRun: true };
}

/** For rows that are there for context. */
export const NO_TARGET: Target = { bound: 'none', ratio: 0 };

/** `ours` and `theirs` have one value for each run. */
export function row(what: string, ours: readonly number[], theirs: readonly number[], target: Target): Row {
  const values = [median(ours), median(theirs)] as const;
  const ratios = ours.map((value, run) => value / (theirs[run] ?? Number.NaN));
  const judged = target.inEveryRun ? ratios : [values[0] / values[1]];
  return {
    what,
    ours: round(values[0]),
    theirs: round(values[1]),
    ratio: round(values[0] / values[1]),
    lowest: round(Math.min(...ratios)),
    highest: round(Math.max(...ratios)),
    target: nameOf(target),
    met: target.bound === 'none' ? null : judged.every(ratio => meets(ratio, target)),
  };
}

/** Throws for an even number of values. */
export function median(values: readonly number[]): number {
  const middle = values.toSorted((a, b) => a - b)[(values.length - 1) / 2];
  if (middle === undefined) throw new Error(`the median needs an odd number of runs, got ${values.length}`);
  return middle;
}

function meets(ratio: number, { bound, ratio: goal }: Target): boolean {
  return bound === 'at least' ? ratio >= goal : ratio <= goal;
}

function nameOf({ bound, ratio, inEveryRun: isStrict }: Target): string {
  if (bound === 'none') return 'none';
  return `${bound} ${ratio}${isStrict ? ' in every run' : ''}`;
}

/** Empty for results of one run. */
export function formatSpread({ lowest, highest }: Row): string {
  return lowest === highest ? '' : `${lowest.toFixed(2)}-${highest.toFixed(2)}`;
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}

export function formatTable(rows: readonly Row[]): string {
  const head = ['measurement', 'Countersign', 'reference', 'ratio', 'spread', 'target', 'met'];
  const lines = rows.map(each => [
    each.what,
    String(each.ours),
    String(each.theirs),
    each.ratio.toFixed(3),
    formatSpread(each),
    each.target,
    each.met === null ? '' : each.met ? 'yes' : 'NO',
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...lines].map(line => line[column]?.length ?? 0)));
  const format = (line: readonly string[]) =>
    line
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd();
  return [head, widths.map(width => '-'.repeat(width)), ...lines].map(format).join('\n');
}
