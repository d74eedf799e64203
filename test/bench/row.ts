// One row of the results: the measured values, their ratio, and whether it meets its target. Also formats the table.

export interface Row {
  readonly what: string;
  readonly ours: number;
  readonly theirs: number;
  /** `ours` divided by `theirs`. */
  readonly ratio: number;
  readonly target: string;
  /** null for a row without a target, which is there for context. */
  readonly met: boolean | null;
}

export interface Target {
  readonly bound: 'at least' | 'at most' | 'none';
  readonly ratio: number;
}

/** A target for rates. */
export function atLeast(ratio: number): Target {
  return { bound: 'at least', ratio };
}

/** A target for costs. */
export function atMost(ratio: number): Target {
  return { bound: 'at most', ratio };
}

/** For rows that are there for context. */
export const NO_TARGET: Target = { bound: 'none', ratio: 0 };

export function row(what: string, ours: number, theirs: number, { bound, ratio: goal }: Target): Row {
  const ratio = ours / theirs;
  const met = { 'at least': ratio >= goal, 'at most': ratio <= goal, none: null }[bound];
  const target = bound === 'none' ? bound : `${bound} ${goal}`;
  return { what, ours: round(ours), theirs: round(theirs), ratio: round(ratio), target, met };
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}

export function formatTable(rows: readonly Row[]): string {
  const head = ['measurement', 'Countersign', 'reference', 'ratio', 'target', 'met'];
  const lines = rows.map(each => [
    each.what,
    String(each.ours),
    String(each.theirs),
    each.ratio.toFixed(3),
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
