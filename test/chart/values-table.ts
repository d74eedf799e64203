// Renders the table of values in the chart's README from the comments in values.yaml. Adds no text of its own.

import { isMap, isNode, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml';

interface Row {
  readonly path: string;
  readonly initial: string;
  readonly about: string;
}

/** A Markdown table with a row for each value and aligned columns. Throws if a value has no comment. */
export function valuesTable(valuesYaml: string): string {
  const { contents } = parseDocument(valuesYaml);
  if (!isMap(contents)) throw new Error('values.yaml is not a mapping');
  const rows = readRows(contents, '').map(({ path, initial, about }) => [`\`${path}\``, `\`${initial}\``, about]);
  const table = [['Value', 'Default', 'Meaning'], ...rows];
  const widths = [0, 1, 2].map(column => Math.max(...table.map(row => row[column]?.length ?? 0)));
  const rule = widths.map(width => '-'.repeat(width));
  const line = (row: readonly string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [table[0] ?? [], rule, ...table.slice(1)].map(line).join('\n');
}

function readRows(map: YAMLMap, prefix: string): Row[] {
  return map.items.flatMap((pair, index) => {
    const path = prefix + keyOf(pair);
    const comment = commentOf(pair) ?? (index === 0 ? map.commentBefore : undefined);
    if (comment) return [{ path, initial: JSON.stringify(toJson(pair.value)), about: toCell(comment) }];
    if (isMap(pair.value) && pair.value.items.length > 0) return readRows(pair.value, `${path}.`);
    throw new Error(`values.yaml has no comment for ${path}`);
  });
}

function keyOf({ key }: Pair): string {
  return isScalar(key) ? String(key.value) : String(key);
}

function commentOf({ key }: Pair): string | null | undefined {
  return isScalar(key) ? key.commentBefore : undefined;
}

function toJson(value: unknown): unknown {
  return isNode(value) ? value.toJSON() : value;
}

/**
 * Uses only the last paragraph, because the first comment starts with a paragraph about the whole file. Omits lines
 * indented by three spaces, which are examples.
 */
function toCell(comment: string): string {
  const paragraph = comment.split('\n\n').at(-1) ?? '';
  const lines = paragraph.split('\n').filter(line => !line.startsWith('   '));
  return lines
    .map(line => line.trim())
    .join(' ')
    .replaceAll('|', '\\|')
    .replaceAll('<', '&lt;');
}
