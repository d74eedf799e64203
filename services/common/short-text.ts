// Text that somebody else chose, cut to a length that can be shown and logged. Names of objects are never cut: they have 253
// characters at most.

/** As much of a key or a name as is ever repeated. */
const MAX_SHOWN = 256;

/** The text, or its beginning and an ellipsis; never more than `length` characters. */
export function shorten(text: string, length = MAX_SHOWN): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
