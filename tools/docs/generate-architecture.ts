// Draws docs/architecture.svg from docs/architecture.txt: boxes in three columns and arrows between them. Knows nothing
// of what they mean.

import { readFile, writeFile } from 'node:fs/promises';

const COLUMN = { left: [10, 390, 770], width: 250 } as const;
const ROW = { top: 10, height: 120, gap: 20 } as const;
const SIZE = { width: 1_030, height: ROW.top * 2 + ROW.height * 3 + ROW.gap * 2 } as const;
const TITLE_OFFSET = 32;
const LINE = 20;

interface Box {
  readonly column: number;
  readonly row: number;
  readonly rows: number;
  readonly texts: readonly string[];
}

interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly row: number;
  readonly label: string;
}

interface Picture {
  readonly boxes: ReadonlyMap<string, Box>;
  readonly arrows: readonly Arrow[];
}

/** The content of docs/architecture.svg; throws for a line that is neither a box nor an arrow. */
function drawArchitecture(source: string): string {
  const { boxes, arrows } = parsePicture(source);
  return `<!-- Made by tools/docs/generate-architecture.ts from docs/architecture.txt. Do not edit. -->
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" font-family="sans-serif" font-size="14">
<rect width="${SIZE.width}" height="${SIZE.height}" rx="8" fill="#ffffff"/>
${[...boxes.values()].map(drawBox).join('\n')}
${arrows.map(arrow => drawArrow(arrow, boxes)).join('\n')}
</svg>
`;
}

function parsePicture(source: string): Picture {
  const boxes = new Map<string, Box>();
  const arrows: Arrow[] = [];
  for (const line of source.split('\n').filter(text => text !== '' && !text.startsWith('#'))) {
    const [head = '', ...texts] = line.split('|').map(text => text.trim());
    const [, name = '', column, row, rows] = /^box (\w+): +(\d) (\d) (\d)$/.exec(head) ?? [];
    const [, from = '', to = '', at] = /^arrow (\w+) -> (\w+): +([\d.]+)$/.exec(head) ?? [];
    if (rows !== undefined) boxes.set(name, { column: Number(column), row: Number(row), rows: Number(rows), texts });
    else if (at !== undefined) arrows.push({ from, to, row: Number(at), label: texts.join(' ') });
    else throw new Error(`docs/architecture.txt: neither a box nor an arrow: ${line}`);
  }
  return { boxes, arrows };
}

/** The y of a place between the rows: 1.5 is the middle of the second. */
function toY(row: number): number {
  const whole = Math.floor(row);
  return ROW.top + whole * (ROW.height + ROW.gap) + (row - whole) * ROW.height;
}

function drawBox({ column, row, rows, texts: [title = '', ...lines] }: Box): string {
  const left = COLUMN.left[column] ?? 0;
  const middle = left + COLUMN.width / 2;
  const height = rows * ROW.height + (rows - 1) * ROW.gap;
  const frame = `<rect x="${left}" y="${toY(row)}" width="${COLUMN.width}" height="${height}" rx="6" fill="#eef3fb" stroke="#326ce5"/>`;
  const texts = lines.map((text, at) => drawText(text, middle, toY(row) + TITLE_OFFSET + 28 + at * LINE));
  return [frame, drawText(title, middle, toY(row) + TITLE_OFFSET, ' font-size="17" font-weight="bold"'), ...texts].join(
    '',
  );
}

function drawText(text: string, x: number, y: number, style = ''): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return text === '' ? '' : `<text x="${x}" y="${y}" text-anchor="middle" fill="#1f2328"${style}>${escaped}</text>`;
}

function drawArrow({ from, to, row, label }: Arrow, boxes: ReadonlyMap<string, Box>): string {
  const [start, end] = [boxes.get(from), boxes.get(to)];
  if (start === undefined || end === undefined) throw new Error(`docs/architecture.txt: no box for ${from} -> ${to}`);
  const direction = start.column < end.column ? 1 : -1;
  const [x1, x2] = direction === 1 ? [rightOf(start), leftOf(end)] : [leftOf(start), rightOf(end)];
  const y = toY(row);
  const head = `${x2},${y} ${x2 - direction * 9},${y - 5} ${x2 - direction * 9},${y + 5}`;
  return [
    `<line x1="${x1}" y1="${y}" x2="${x2 - direction * 8}" y2="${y}" stroke="#57606a" stroke-width="1.5"/>`,
    `<polygon points="${head}" fill="#57606a"/>`,
    drawText(label, (x1 + x2) / 2, y - 7, ' font-size="13"'),
  ].join('');
}

function leftOf({ column }: Box): number {
  return COLUMN.left[column] ?? 0;
}

function rightOf(box: Box): number {
  return leftOf(box) + COLUMN.width;
}

/** Reads the source and draws it. */
export async function renderArchitecture(): Promise<string> {
  return drawArchitecture(await readFile(new URL('../../docs/architecture.txt', import.meta.url), 'utf8'));
}

if (import.meta.main)
  await writeFile(new URL('../../docs/architecture.svg', import.meta.url), await renderArchitecture());
