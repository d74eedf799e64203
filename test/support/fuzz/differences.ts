// The table in docs/differences.md of requests that are refused here although the API server and cert-manager accept
// them. Keeps the page and the code in sync.

import { readFileSync } from 'node:fs';

const PAGE = new URL('../../../docs/differences.md', import.meta.url);
const BEGIN = '<!-- refusals -->';
const END = '<!-- end of refusals -->';

export interface Difference {
  /** As on the page; `…` stands for variable text. */
  readonly message: string;
  readonly matches: (error: string) => boolean;
}

/** Returns the messages in the first column of the table. */
export function readDifferences(): readonly Difference[] {
  const table = readFileSync(PAGE, 'utf8').split(BEGIN)[1]?.split(END)[0] ?? '';
  return Array.from(table.matchAll(/^\| `(.+?)` \|/gm), ([, message = '']) => {
    const pattern = message.split('…').map(part => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const whole = new RegExp(`^${pattern.join('.*')}$`, 's');
    return { message, matches: (error: string) => whole.test(error) };
  });
}
