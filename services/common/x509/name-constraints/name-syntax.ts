// Extracts domains, hosts and mailboxes from certificate names, as the verifiers of Go and OpenSSL do to compare them
// with name constraints. Pure; never decides whether a name is permitted.

import { isIP } from 'node:net';

/** Non-empty labels of visible characters; the empty text is a domain as well (Go's domainNameValid). */
const DOMAIN = /^(?:[!-\-/-~]+(?:\.[!-\-/-~]+)*)?$/;

export interface Mailbox {
  readonly local: string;
  readonly domain: string;
}

/** What Go accepts as a domain in a certificate name. */
export function isDomain(text: string): boolean {
  return DOMAIN.test(text);
}

/**
 * The parts of a mailbox, without quotes and backslashes (RFC 5321 section 4.1.2, RFC 3696 section 3); undefined if it
 * is not one.
 */
export function parseMailbox(text: string): Mailbox | undefined {
  // The characters of a quoted string in RFC 2822 section 3.2.5, in ASCII.
  const quoted = /^"((?:[^"\\\t\n\r\0]|\\[^\n\r\0])*)"@/.exec(text);
  const plain = quoted === null ? /^((?:[\w!#$%&'*+\-/=?^`{|}~.]|\\[\s\S])+)@/.exec(text) : null;
  const [whole, escaped] = quoted ?? plain ?? [];
  if (whole === undefined || escaped === undefined) return undefined;
  const local = escaped.replace(/\\([\s\S])/g, '$1');
  const domain = text.slice(whole.length);
  const isLocal = quoted !== null || !/^\.|\.\.|\.$/.test(local);
  return isLocal && isDomain(domain) ? { local, domain } : undefined;
}

/** The host of a URI as Go parses it, without port; undefined if Go cannot compare the URI with constraints. */
export function hostOfUri(text: string): string | undefined {
  const authority = authorityOfUri(text);
  const [, host] = /^([^:[\]%]*)(?::\d*)?$/.exec(authority) ?? [];
  const isName = authority !== '' && host !== undefined && isIP(host) === 0 && isDomain(host);
  return isName ? host : undefined;
}

/** Host and port, without userinfo. */
function authorityOfUri(text: string): string {
  const [, rest = ''] = /^(?:[a-z][a-z0-9+.-]*:)?([^#]*)/i.exec(text) ?? [];
  const [, authority = ''] = /^\/\/([^/?]*)/.exec(rest) ?? [];
  return authority.slice(authority.lastIndexOf('@') + 1);
}

/** The host as OpenSSL up to release 3 parses it: up to the first colon, otherwise up to the first slash. */
export function openSslHostOfUri(text: string): string | undefined {
  const start = text.indexOf(':');
  if (start < 0 || !text.startsWith('://', start)) return undefined;
  const rest = text.slice(start + 3);
  const colon = rest.indexOf(':');
  const end = colon < 0 ? rest.indexOf('/') : colon;
  const host = end < 0 ? rest : rest.slice(0, end);
  return host === '' ? undefined : host;
}

/**
 * Whether a common name looks like a DNS name to OpenSSL: at least two labels of letters, digits, `_` and
 * inner hyphens.
 */
export function isHostLike(text: string): boolean {
  return /^\w(?:[\w-]*\w)?(?:\.\w(?:[\w-]*\w)?)+$/.test(text);
}
