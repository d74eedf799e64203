// Writes the figures of docs/benchmark.md from test/bench/results.json, between two markers. Adds no figure of its own.

import { readFile, writeFile } from 'node:fs/promises';
import { type Measurements, readResults, rowsOf } from '../../test/bench/results.ts';
import { formatSpread, type Row } from '../../test/bench/row.ts';

const PAGE = new URL('../../docs/benchmark.md', import.meta.url);
const BLOCK = /(<!-- figures: .* -->\n\n)[^]*(\n<!-- \/figures -->)/;

/** The content of docs/benchmark.md. */
export async function renderBenchmark(): Promise<string> {
  const [page, { measurements }] = [await readFile(PAGE, 'utf8'), await readResults()];
  return page.replace(BLOCK, (_, before: string, after: string) => before + renderFigures(measurements) + after);
}

/** The figures as Markdown. */
export function renderFigures(measurements: Measurements): string {
  const all = Object.values(measurements);
  const rows = rowsOf(measurements);
  const goals = rows.filter(({ met }) => met !== null);
  const met = goals.filter(row => row.met === true).length;
  return [
    `${met} of ${goals.length} targets are met.\n\n`,
    table(['', 'Countersign', 'compared with', 'ratio', 'of the runs', 'target'], rows.map(cellsOf)),
    renderCosts(all.flatMap(({ costs = [] }) => costs)),
    renderGrowth(all.flatMap(({ growth = [] }) => growth)),
  ].join('');
}

function cellsOf(row: Row): readonly string[] {
  const goal = row.target.replace('at least', '≥').replace('at most', '≤').replace('none', '');
  const numbers = [row.ours, row.theirs].map(grouped);
  return [row.what, ...numbers, row.ratio.toFixed(2), formatSpread(row), row.met === false ? `${goal}, missed` : goal];
}

type Of<Name extends 'costs' | 'growth'> = NonNullable<Measurements[string][Name]>;

function renderCosts(costs: Of<'costs'>): string {
  const lines = costs.map(({ path, writes, reads, reviews }) => [path, ...[writes, reads, reviews].map(String)]);
  if (lines.length === 0) return '';
  const intro =
    "Requests to the API server for one certificate, as its own metrics count them, the signer's start included:";
  return `\n${intro}\n\n${table(['', 'writes', 'reads', 'access reviews'], lines)}`;
}

function renderGrowth(points: Of<'growth'>): string {
  if (points.length === 0) return '';
  const line = (name: string, pick: (point: Of<'growth'>[number]) => number, digits: number) => {
    return [name, ...points.map(point => pick(point).toFixed(digits))];
  };
  const head = ['certificates', ...points.map(({ count }) => grouped(count))];
  return `\nGrowth, one run with each number, each time from an empty cluster:\n\n${table(head, [
    line('certificates per second', ({ rate }) => rate, 0),
    line('approval to certificate at 20 a second, p50, ms', ({ p50 }) => p50, 1),
    line('total CPU, s', ({ cpuMs, count }) => (cpuMs * count) / 1_000, 1),
    line('resident memory after the drain, MB', ({ residentMB }) => residentMB, 0),
  ])}`;
}

/** 16 000, as in the other pages. */
function grouped(value: number): string {
  return value.toLocaleString('en').replaceAll(',', ' ');
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...lines].map(cells => `| ${cells.join(' | ')} |\n`).join('');
}

if (import.meta.main) await writeFile(PAGE, await renderBenchmark());
