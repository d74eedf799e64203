// Lays out a report: sections with labelled values. Everything that it prints is made safe here, so that no caller can
// forget it. Pure.

import { safeLines, safeText } from './safe-text.ts';
import type { Style } from './style.ts';

export type Mark = 'good' | 'bad' | 'warn';

export interface Row {
  readonly label: string;
  /** One line each. */
  readonly values: readonly string[];
  readonly mark?: Mark | undefined;
}

export interface Section {
  readonly title: string;
  readonly rows?: readonly Row[];
  /** Text in lines, such as a manifest to paste. */
  readonly text?: string;
}

const MARKS: Readonly<Record<Mark, string>> = { good: '✓', bad: '✗', warn: '!' };

/** Values of one row beyond this number are counted only. */
const MAX_VALUES = 50;

export function formatReport(sections: readonly Section[], style: Style): string {
  return sections.map(section => formatSection(section, style)).join('\n');
}

function formatSection({ title, rows = [], text }: Section, style: Style): string {
  const width = Math.max(0, ...rows.map(({ label }) => label.length));
  const lines = rows.flatMap(row => formatRow(row, width, style));
  const prose =
    text === undefined
      ? []
      : safeLines(text)
          .trimEnd()
          .split('\n')
          .map(line => `  ${line}`.trimEnd());
  return [style.bold(safeText(title)), ...lines, ...prose].map(line => `${line}\n`).join('');
}

function formatRow({ label, values, mark }: Row, width: number, style: Style): string[] {
  const shown = values.slice(0, MAX_VALUES).map(value => safeText(value, 2_000));
  const more = values.length > shown.length ? [`… and ${values.length - shown.length} more; -o json shows all`] : [];
  const sign = mark === undefined ? '' : `${style[mark](MARKS[mark])} `;
  return [...shown, ...more].map((value, at) => {
    const head = at === 0 ? safeText(label).padEnd(width) : ' '.repeat(width);
    const gap = width === 0 ? '' : `${style.dim(head)}  `;
    return `  ${gap}${at === 0 ? sign : ''}${value}`.trimEnd();
  });
}
