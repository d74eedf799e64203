// Text that somebody else chose, cut to a length that can be shown and logged. Names of Issuers, namespaces and Secrets need no
// cutting (253 characters at most); the name of a CSR does, for the API server takes any that can be part of a path, however long.

/** As much of a key or a name as is ever repeated. */
const MAX_SHOWN = 256;

/** The text, or its beginning and an ellipsis; never more than `length` characters. */
export function shorten(text: string, length = MAX_SHOWN): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
