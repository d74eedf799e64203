// Shortens text chosen by others for messages and logs. Names of Issuers, namespaces and Secrets need no shortening (at
// most 253 characters); the name of a CSR does, because the API server accepts any path segment, however long.

/** Maximum length of a key or a name in a message. */
const MAX_SHOWN = 256;

/** The text, or its beginning with an ellipsis; at most `length` characters. */
export function shorten(text: string, length = MAX_SHOWN): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
