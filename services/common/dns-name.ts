// What a DNS name in a certificate may be (RFC 5280 section 4.2.1.6, RFC 1123 section 2.1): letters, digits and
// hyphens. Stricter than the API server, which rejects only empty labels. Pure.

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** RFC 1035 section 2.3.4, without the root's dot. */
export const MAX_DNS_NAME = 253;

/** Whether it is a DNS name in lower case. An IP address is none, although its labels would be. */
export function isDnsName(text: string): boolean {
  if (text.length > MAX_DNS_NAME) return false;
  const labels = text.split('.');
  return labels.every(label => LABEL.test(label)) && !/^[0-9]+$/.test(labels.at(-1) ?? '');
}

/** Whether it is a DNS name in lower case whose first label may be `*` (RFC 6125 section 6.4.3). */
export function isDnsNameOrWildcard(text: string): boolean {
  return text.startsWith('*.') ? text.length <= MAX_DNS_NAME && isDnsName(text.slice(2)) : isDnsName(text);
}
