// Lays out rows in columns, as kubectl does: two or more spaces between columns, the last column ragged. Pure.

const GAP = '   ';

/** The cells must be safe to print, and without styles, which would count as characters. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map(row => widthOf(row[column] ?? ''))));
  return all.map(row => `${formatRow(row, widths)}\n`).join('');
}

function formatRow(row: readonly string[], widths: readonly number[]): string {
  const cells = widths.map((width, column) => {
    const cell = row[column] ?? '';
    return cell + ' '.repeat(width - widthOf(cell));
  });
  return cells.join(GAP).trimEnd();
}

/** Characters, not UTF-16 units. */
function widthOf(text: string): number {
  return Array.from(text).length;
}
