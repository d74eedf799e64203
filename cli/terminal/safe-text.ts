// Makes text that others chose safe to print: a terminal must not interpret it, it must not reorder or hide other text,
// and it is bounded. Pure.

import { shorten } from '@countersign/common/short-text.ts';

/** Maximum characters of one value. */
const MAX_SHOWN = 256;

/**
 * Control characters (ESC, CSI, carriage return), format characters (bidirectional overrides, zero-width spaces), line
 * and paragraph separators, lone surrogates and private characters.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;

/** More than two combining marks on one character can cover the lines around it. */
const STACKED = /(\p{M}{2})\p{M}+/gu;

/** One line: unsafe characters are escaped as in JavaScript, long text ends with an ellipsis. */
export function safeText(text: string, length = MAX_SHOWN): string {
  // Shortened first: escaping a text of many megabytes would take long.
  return shorten(text, length).replace(STACKED, '$1…').replace(UNSAFE, escapeCharacter);
}

/** The same, for prose in lines. Tabs become spaces. */
export function safeLines(text: string, length = 4_000): string {
  return shorten(text, length)
    .replaceAll('\t', '  ')
    .split('\n')
    .map(line => safeText(line, length))
    .join('\n');
}

/** Escapes what JSON.stringify leaves as it is; inside its strings, the result has the same meaning. */
export function safeJson(json: string): string {
  return json.replace(UNSAFE, character => (character === '\n' ? character : escapeUnits(character)));
}

function escapeCharacter(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  if (point < 0x100) return `\\x${point.toString(16).padStart(2, '0')}`;
  return point < 0x10000 ? `\\u${point.toString(16).padStart(4, '0')}` : `\\u{${point.toString(16)}}`;
}

function escapeUnits(character: string): string {
  return Array.from({ length: character.length }, (_, at) => {
    const unit = character.charCodeAt(at).toString(16);
    return `\\u${unit.padStart(4, '0')}`;
  }).join('');
}
