// Whether Go's certificate parser, and so the API server, accepts the URI of a subjectAltName (RFC 5280 section
// 4.2.1.6). Never resolves one.

import { isIPv6 } from 'node:net';

/** With sub-delimiters and brackets, as in RFC 3986 section 3.2.2, and three more characters that Go accepts. */
const HOST = /^(?:[\w.~!$&'()*+,;=:[\]<>"-]|%25)*$/;
const USER = /^[\w.~!$&'()*+,;=:%@-]*$/;
const PORT = /^(?::[0-9]*)?$/;
const BAD_ESCAPE = /%(?![0-9a-f]{2})/i;
/** Non-empty labels of visible ASCII characters. */
const DOMAIN = /^[!-\-/-~]+(?:\.[!-\-/-~]+)*$/;

/** Scheme with its colon, authority with its slashes, path and fragment (RFC 3986 appendix B); matches any text. */
const SHAPE = /^((?:[a-z][a-z0-9+.-]*:)?)((?:\/\/[^/?#]*)?)([^?#]*)(?:\?[^#]*)?(#?.*)$/is;

/** For ASCII text. */
export function isUri(text: string): boolean {
  const [, ...parts] = SHAPE.exec(text) ?? [];
  const hasControlCharacter = /^[^#]*[^ -~]/.test(text);
  return !hasControlCharacter && areParts(parts as unknown as Parts);
}

type Parts = readonly [scheme: string, authority: string, path: string, fragment: string];

function areParts([scheme, authority, path, fragment]: Parts): boolean {
  if (BAD_ESCAPE.test(fragment)) return false;
  if (authority !== '') return isAuthority(authority.slice(2), scheme.toLowerCase()) && !BAD_ESCAPE.test(path);
  // Without a slash, the part after a scheme is opaque and may have any form.
  const isOpaque = scheme !== '' && !path.startsWith('/');
  // Without a scheme, a colon in the first segment would end one (RFC 3986 section 3.3).
  return isOpaque || ((scheme !== '' || !/^[^/]*:/.test(path)) && !BAD_ESCAPE.test(path));
}

function isAuthority(authority: string, scheme: string): boolean {
  const at = authority.lastIndexOf('@');
  const user = authority.slice(0, Math.max(at, 0));
  const host = authority.slice(at + 1);
  if (!USER.test(user) || BAD_ESCAPE.test(user)) return false;
  return host.includes('[') ? isAddress(host) : isHost(host, scheme);
}

function isHost(host: string, scheme: string): boolean {
  // Go rejects a second colon for these two only.
  const isStrict = scheme === 'http:' || scheme === 'https:';
  const colon = isStrict ? host.indexOf(':') : host.lastIndexOf(':');
  if (colon >= 0 && !PORT.test(host.slice(colon))) return false;
  return host === '' || (HOST.test(host) && DOMAIN.test(host));
}

/** An IPv6 address in brackets, with a zone or without (RFC 6874). */
function isAddress(host: string): boolean {
  if (host.lastIndexOf('[') > 0) return false;
  const [, address = '', escapedZone, port = ''] = /^\[([^%\]]*)(?:%25(.*))?\](.*?)$/s.exec(host) ?? [];
  if (!isIPv6(address) || !PORT.test(port)) return false;
  return escapedZone === undefined || isZone(escapedZone);
}

function isZone(escaped: string): boolean {
  if (BAD_ESCAPE.test(escaped)) return false;
  const zone = escaped.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  // A zone may escape only what may be there unescaped, or a percent sign.
  return HOST.test(zone.replaceAll('%', '%25')) && DOMAIN.test(`x${zone}x`) && zone !== '';
}
