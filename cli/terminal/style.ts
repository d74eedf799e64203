// Colours, for a terminal only. Pure.

export type Style = Readonly<Record<'bold' | 'dim' | 'good' | 'bad' | 'warn', (text: string) => string>>;

const CODES = { bold: [1, 22], dim: [2, 22], good: [32, 39], bad: [31, 39], warn: [33, 39] } as const;

/** The text must be safe already: styles are the only escape sequences that are printed. */
export function createStyle(isColoured: boolean): Style {
  const entries = Object.entries(CODES).map(([name, [on, off]]) => [
    name,
    (text: string) => (isColoured && text !== '' ? `\u001b[${on}m${text}\u001b[${off}m` : text),
  ]);
  return Object.fromEntries(entries) as Style;
}

/** https://no-color.org: any value but the empty one turns colours off. */
export function wantsColours(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  return isTerminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
}
