// The URI of a subjectAltName, as far as Go's certificate parser surely reads it: what it refuses depends on its release, so
// that only the plain forms of RFC 3986 are taken. Never resolves one.

const ESCAPED = '%[0-9a-f]{2}';
const USER = `(?:[\\w.~!$&'()*+,;=:-]|${ESCAPED})*@`;
const LABEL = "[\\w~!$&'()*+,;=-]+";
const HOST = `${LABEL}(?:\\.${LABEL})*(?::\\d{1,5})?`;
const AUTHORITY = `//(?:${USER})?(?:${HOST})?(?=[/?#]|$)`;
const URI = new RegExp(`^[a-z][a-z0-9+.-]*:(?:${AUTHORITY}|(?!//))(?:[ -$&-~]|${ESCAPED})*$`, 'i');

export function isUri(text: string): boolean {
  return URI.test(text);
}
