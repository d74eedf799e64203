// Draws terminal output with ANSI styles as an SVG with a fixed number of columns. Pure.

/** Width of the terminal: the output of `kubectl get csr` in the demo fits on one line. */
const COLUMNS = 104;
const FONTS = "ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace";
const FONT_SIZE = 14;
/** Width of a character relative to the font size, in the usual monospace fonts. */
const ADVANCE = 0.602;
const LINE_HEIGHT = 20;
const MARGIN = 16;
const COLOURS = { text: '#e6edf3', background: '#0d1117' } as const;
/** The supported SGR parameters, each with its CSS class and properties. */
const STYLES: Readonly<Record<number, { readonly name: string; readonly css: string }>> = {
  1: { name: 'b', css: 'font-weight:bold' },
  2: { name: 'd', css: 'opacity:.6' },
  31: { name: 'r', css: 'fill:#ff7b72' },
  32: { name: 'g', css: 'fill:#3fb950' },
  33: { name: 'y', css: 'fill:#d29922' },
  34: { name: 'l', css: 'fill:#58a6ff' },
  35: { name: 'm', css: 'fill:#bc8cff' },
  36: { name: 'c', css: 'fill:#39c5cf' },
};

interface Cell {
  readonly character: string;
  /** CSS classes, separated by spaces. */
  readonly style: string;
}

type Line = readonly Cell[];

/** Returns the SVG. `description` is its text for screen readers. */
export function drawTerminal(output: string, description: string): string {
  const lines = output
    .trimEnd()
    .split('\n')
    .flatMap(line => wrap(parseLine(line)));
  const width = Math.ceil(COLUMNS * FONT_SIZE * ADVANCE) + 2 * MARGIN;
  const height = lines.length * LINE_HEIGHT + 2 * MARGIN;
  const used = Object.values(STYLES).filter(({ name }) =>
    lines.some(line => line.some(({ style }) => style.split(' ').includes(name))),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" font-family="${FONTS}" font-size="${FONT_SIZE}" fill="${COLOURS.text}" role="img" xml:space="preserve">
<title>${escapeXml(description)}</title>
<style>${used.map(({ name, css }) => `.${name}{${css}}`).join('')}</style>
<rect width="100%" height="100%" rx="8" fill="${COLOURS.background}"/>
${lines
  .map(drawLine)
  .filter(line => line !== '')
  .join('\n')}
</svg>
`;
}

function drawLine(line: Line, at: number): string {
  if (line.length === 0) return '';
  const y = MARGIN + at * LINE_HEIGHT + FONT_SIZE;
  const runs = toRuns(line);
  const [only] = runs;
  // One style for the whole line, as for most lines, needs no tspan.
  if (only !== undefined && runs.length === 1)
    return `<text x="${MARGIN}" y="${y}"${classOf(only.style)}>${escapeXml(only.text)}</text>`;
  const spans = runs.map(({ style, text }) =>
    style === '' ? escapeXml(text) : `<tspan${classOf(style)}>${escapeXml(text)}</tspan>`,
  );
  return `<text x="${MARGIN}" y="${y}">${spans.join('')}</text>`;
}

function classOf(style: string): string {
  return style === '' ? '' : ` class="${style}"`;
}

function toRuns(line: Line): readonly { readonly style: string; readonly text: string }[] {
  const runs: { style: string; text: string }[] = [];
  for (const { character, style } of line) {
    const last = runs.at(-1);
    if (last?.style === style) last.text += character;
    else runs.push({ style, text: character });
  }
  return runs;
}

/** Splits a line with SGR escape sequences into cells. Codes that are not in STYLES have no effect. */
function parseLine(line: string): Line {
  let active: readonly number[] = [];
  // oxlint-disable-next-line no-control-regex
  return [...line.matchAll(/\x1b\[([\d;]*)m|(.)/gu)].flatMap(([, codes, character]) => {
    if (character !== undefined)
      return [
        {
          character,
          style: active
            .map(code => STYLES[code]?.name)
            .filter(Boolean)
            .join(' '),
        },
      ];
    for (const code of (codes ?? '').split(';').map(Number)) active = applyCode(active, code);
    return [];
  });
}

function applyCode(active: readonly number[], code: number): readonly number[] {
  if (code === 0) return [];
  if (code === 22) return active.filter(each => each > 2);
  if (code === 39) return active.filter(each => each < 30 || each > 37);
  return code in STYLES ? [...active, code] : active;
}

/** Breaks a long line at the last space that fits. */
function wrap(line: Line): readonly Line[] {
  if (line.length <= COLUMNS) return [line];
  const space = line.slice(0, COLUMNS + 1).findLastIndex(({ character }) => character === ' ');
  const end = space > 0 ? space : COLUMNS;
  return [line.slice(0, end), ...wrap(line.slice(space > 0 ? end + 1 : end))];
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
