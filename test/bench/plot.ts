// Draws the results as one SVG: a bar for each row of the table, and four panels that show the growth with the number
// of CSRs.

import type { GrowthPoint } from './growth.ts';
import type { Row } from './row.ts';

const WIDTH = 1_120;
const BAR_LEFT = 560;
const BAR_WIDTH = 380;
const LINE = 24;
const PANEL = { width: 210, height: 120 } as const;
/** The ratio at the right end of a bar. */
const LONGEST = 3;

export function drawResults(rows: readonly Row[], growth: readonly GrowthPoint[]): string {
  const barsEnd = 60 + rows.length * LINE;
  const height = barsEnd + (growth.length > 0 ? PANEL.height + 90 : 20);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/>
<text x="20" y="28" font-size="15" font-weight="bold">Countersign vs. cert-manager, or vs. the baseline in the label (ratio). Black line: target. Grey bar: no target.</text>
${rows.map((each, at) => drawBar(each, 50 + at * LINE)).join('\n')}
${growth.length > 0 ? drawGrowth(growth, barsEnd + 20) : ''}
</svg>
`;
}

function drawBar({ what, ratio, target, met }: Row, y: number): string {
  const toX = (value: number) => (BAR_LEFT + (Math.min(value, LONGEST) / LONGEST) * BAR_WIDTH).toFixed(1);
  const goal = Number(/[\d.]+$/.exec(target)?.[0] ?? Number.NaN);
  const colour = met === null ? '#8a8f98' : met ? '#2a7f62' : '#b5482a';
  const bound = met === null ? '' : ` (${target})`;
  const mark = Number.isNaN(goal)
    ? ''
    : `<line x1="${toX(goal)}" y1="${y - 2}" x2="${toX(goal)}" y2="${y + 18}" stroke="#000" stroke-width="2"/>`;
  return [
    `<text x="20" y="${y + 13}">${escape(what)}</text>`,
    `<rect x="${BAR_LEFT}" y="${y}" width="${(Number(toX(ratio)) - BAR_LEFT).toFixed(1)}" height="16" fill="${colour}"/>`,
    mark,
    `<text x="${BAR_LEFT + BAR_WIDTH + 8}" y="${y + 13}">${ratio.toFixed(3)}${bound}</text>`,
  ].join('');
}

function drawGrowth(points: readonly GrowthPoint[], y: number): string {
  const panels: readonly (readonly [string, (point: GrowthPoint) => number])[] = [
    ['certificates per second', ({ rate }) => rate],
    ['latency at 20/s, p50 (ms)', ({ p50 }) => p50],
    ['CPU per certificate (ms)', ({ cpuMs }) => cpuMs],
    ['resident memory (MB)', ({ residentMB }) => residentMB],
  ];
  const title = `<text x="20" y="${y + 14}" font-size="15" font-weight="bold">Growth with the number of CSRs in the cluster</text>`;
  return [
    title,
    ...panels.map(([name, pick], at) => drawPanel(name, points, pick, { x: 20 + at * 232, y: y + 30 })),
  ].join('\n');
}

function drawPanel(
  name: string,
  points: readonly GrowthPoint[],
  pick: (point: GrowthPoint) => number,
  { x, y }: { readonly x: number; readonly y: number },
): string {
  const most = Math.max(...points.map(pick)) * 1.15 || 1;
  const largest = Math.max(...points.map(({ count }) => count));
  const place = (point: GrowthPoint) => ({
    left: x + (point.count / largest) * PANEL.width,
    top: y + PANEL.height - (pick(point) / most) * PANEL.height,
  });
  const path = points.map(place).map(({ left, top }) => `${left.toFixed(1)},${top.toFixed(1)}`);
  const labels = points
    .filter((_, at) => at === 0 || at === points.length - 1)
    .map(point => {
      const { left, top } = place(point);
      const anchor = point.count === largest ? 'end' : 'start';
      const text = `${pick(point).toPrecision(3)} at ${point.count / 1_000}k`;
      return `<text x="${left.toFixed(1)}" y="${(top - 6).toFixed(1)}" font-size="10" text-anchor="${anchor}">${text}</text>`;
    });
  return [
    `<text x="${x}" y="${y + PANEL.height + 16}">${escape(name)}</text>`,
    `<path d="M${x},${y} v${PANEL.height} h${PANEL.width}" fill="none" stroke="#999"/>`,
    `<polyline points="${path.join(' ')}" fill="none" stroke="#2a5f9e" stroke-width="2"/>`,
    ...labels,
  ].join('');
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
