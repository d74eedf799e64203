// The user fields of a kubeconfig that client-node drops silently: which are supported, and which are rejected by name.
// Never repeats a value, which may be a secret.

import { dirname, resolve, sep } from 'node:path';

/** A user as in the file (client-go's AuthInfo, k8s.io/client-go/tools/clientcmd/api/v1). */
export type UserFields = Readonly<Record<string, unknown>>;

/** Repeated headers are lists. */
export type Headers = Readonly<Record<string, string | string[]>>;

const NO_BASIC = 'Kubernetes does not support basic authentication; use a token or a client certificate';
const REFUSED = new Map([
  ['username', NO_BASIC],
  ['password', NO_BASIC],
]);

const CREDENTIALS = ['token', 'tokenFile', 'client-certificate', 'client-certificate-data', 'exec', 'auth-provider'];

const IMPERSONATION = ['as-groups', 'as-uid', 'as-user-extra'];

/** What is wrong with the user, and how to fix it; undefined if all fields are supported. */
export function findUserMistake(user: UserFields): string | undefined {
  for (const [name, advice] of REFUSED) if (isSet(user[name])) return `${name} is not supported; ${advice}`;
  return findMissingCredential(user) ?? findImpersonationMistake(user) ?? findExecMistake(user);
}

function findMissingCredential(user: UserFields): string | undefined {
  if (!CREDENTIALS.some(name => isSet(user[name]))) {
    return 'the user of the current context has no credentials; set a token, tokenFile, client certificate or exec';
  }
  const hasCertificate = isSet(user['client-certificate']) || isSet(user['client-certificate-data']);
  const hasKey = isSet(user['client-key']) || isSet(user['client-key-data']);
  if (hasCertificate === hasKey) return undefined;
  return hasCertificate
    ? 'client-certificate has no key; set client-key or client-key-data'
    : 'client-key has no certificate; set client-certificate or client-certificate-data';
}

function findImpersonationMistake(user: UserFields): string | undefined {
  const name = IMPERSONATION.find(field => isSet(user[field]));
  if (name !== undefined && !isSet(user['as'])) return `${name} requires a user to impersonate; set "as" or remove it`;
  const { 'as-groups': groups, 'as-user-extra': extra } = user;
  if (isSet(groups) && !isTexts(groups)) return 'as-groups must be a list of names';
  const isMap = typeof extra === 'object' && extra !== null && Object.values(extra).every(isTexts);
  return isSet(extra) && !isMap ? 'as-user-extra must be a map of lists' : undefined;
}

function findExecMistake({ exec }: UserFields): string | undefined {
  const needsCluster = (exec as { provideClusterInfo?: unknown } | undefined)?.provideClusterInfo === true;
  return needsCluster
    ? 'exec.provideClusterInfo is not supported; set it to false and configure the plugin in args or env'
    : undefined;
}

/** The impersonation headers that client-node does not send (it sends Impersonate-User), as client-go writes them. */
export function impersonationHeaders(user: UserFields): Headers {
  const { 'as-groups': groups, 'as-uid': uid, 'as-user-extra': extra } = user;
  const extras = Object.entries((extra ?? {}) as Record<string, string[]>);
  return {
    ...(isTexts(groups) && groups.length > 0 && { 'impersonate-group': groups }),
    ...(typeof uid === 'string' && uid !== '' && { 'impersonate-uid': uid }),
    ...Object.fromEntries(extras.map(([key, values]) => [`impersonate-extra-${escapeKey(key)}`, values])),
  };
}

/**
 * Escapes what a header name cannot contain (RFC 9110 section 5.6.2), and the escape itself; the API server
 * reverses it.
 */
function escapeKey(key: string): string {
  const octets = [...Buffer.from(key)].map(octet => {
    const character = String.fromCharCode(octet);
    return /[a-zA-Z0-9!#$&'*+.^_`|~-]/.test(character)
      ? character
      : `%${octet.toString(16).toUpperCase().padStart(2, '0')}`;
  });
  return octets.join('');
}

/** As in client-go: relative paths are relative to the kubeconfig, a plugin only if it is a path. */
export function locateFiles(user: UserFields, file: string): UserFields {
  const directory = dirname(file);
  const { tokenFile, exec } = user;
  const command = (exec as { command?: unknown } | undefined)?.command;
  return {
    ...user,
    ...(typeof tokenFile === 'string' && tokenFile !== '' && { tokenFile: resolve(directory, tokenFile) }),
    ...(typeof command === 'string' &&
      command.includes(sep) && { exec: { ...(exec as object), command: resolve(directory, command) } }),
  };
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(each => typeof each === 'string');
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}
