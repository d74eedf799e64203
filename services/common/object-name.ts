// Which names the API server accepts (RFC 1123). An object with any other name cannot exist, and such a name, which may
// come from a requester, must never become part of a path.

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

export function isNamespaceName(text: string): boolean {
  return LABEL.test(text);
}

/**
 * A name for messages and logs. Text that is not a valid name may be anything, even a pasted private key, and is
 * not repeated.
 */
export function showName(text: string): string {
  return isObjectName(text) ? text : `<invalid name: ${text.length} characters>`;
}

/** Whether a Secret, an Issuer or a ClusterIssuer can have this name. */
export function isObjectName(text: string): boolean {
  return SUBDOMAIN.test(text);
}
