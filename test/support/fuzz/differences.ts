// What is refused here though the API server and cert-manager accept it: the rows of docs/differences.md, so that the page and the
// code cannot part.

import { readFileSync } from 'node:fs';

const PAGE = new URL('../../../docs/differences.md', import.meta.url);
const BEGIN = '<!-- refusals -->';
const END = '<!-- end of refusals -->';

export interface Difference {
  /** As the page has it; `…` stands for what differs from request to request. */
  readonly message: string;
  readonly matches: (error: string) => boolean;
}

/** The messages in the first column of the table. */
export function readDifferences(): readonly Difference[] {
  const table = readFileSync(PAGE, 'utf8').split(BEGIN)[1]?.split(END)[0] ?? '';
  return Array.from(table.matchAll(/^\| `(.+?)` \|/gm), ([, message = '']) => {
    const pattern = message.split('…').map(part => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const whole = new RegExp(`^${pattern.join('.*')}$`, 's');
    return { message, matches: (error: string) => whole.test(error) };
  });
}
