// Text that is kept for a while, cut to a maximum. Pure.

/** At most `length` characters, as a copy: a part of a text would keep the whole of it in memory. */
export function keepText(text: string, length: number): string {
  return text.length <= length ? text : Buffer.from(text.slice(0, length)).toString();
}
