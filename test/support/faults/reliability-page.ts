// The table in docs/reliability.md: each promise of the fault suite with its latest figure.

import { PROMISES, type PromiseId } from '../../faults/promises.ts';

const BEGIN = '<!-- figures of make test-faults -->';
const END = '<!-- end of figures -->';

/** A promise that was not measured in this run keeps its figure. */
export function replaceTable(page: string, figures: ReadonlyMap<PromiseId, string>): string {
  const [head = '', rest = ''] = page.split(BEGIN);
  const [table = '', tail = ''] = rest.split(END);
  const before = readTable(table);
  const rows = Object.entries(PROMISES).map(
    ([id, promise]) => `| ${promise} | ${figures.get(id as PromiseId) ?? before.get(promise) ?? ''} |`,
  );
  return `${head}${BEGIN}\n| Promise | Measured |\n|---|---|\n${rows.join('\n')}\n${END}${tail}`;
}

/** Returns the figures by promise. */
export function readTable(page: string): ReadonlyMap<string, string> {
  const rows = page.matchAll(/^\| (.+?) \| (.*?) ?\|$/gm);
  return new Map(Array.from(rows, ([, promise = '', figure = '']) => [promise, figure]));
}
