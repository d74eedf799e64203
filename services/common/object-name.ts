// What the API server accepts as a name (RFC 1123). An object of any other name cannot exist, and its name, which may come
// from a requester, must never become part of a path.

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

export function isNamespaceName(text: string): boolean {
  return LABEL.test(text);
}

/**
 * A name as it is shown and logged. A text that no object can have as its name may be anything, a pasted private key too, so that
 * nothing of it is repeated.
 */
export function showName(text: string): string {
  return isObjectName(text) ? text : `<invalid name: ${text.length} characters>`;
}

/** Whether a Secret, an Issuer or a ClusterIssuer can have this name. */
export function isObjectName(text: string): boolean {
  return SUBDOMAIN.test(text);
}
