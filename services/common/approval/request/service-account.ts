// The ServiceAccount behind a user name (k8s.io/apiserver pkg/authentication/serviceaccount). Pure; checks only the
// form of the name, which the API server sets.

import { isNamespaceName, isObjectName } from '../../object-name.ts';

export interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
}

/** undefined if the user is not a ServiceAccount. */
export function parseServiceAccount(username: string | undefined): ServiceAccount | undefined {
  const [, namespace, name] = /^system:serviceaccount:([^:]*):([^:]*)$/.exec(username ?? '') ?? [];
  if (namespace === undefined || name === undefined) return undefined;
  return isNamespaceName(namespace) && isObjectName(name) ? { namespace, name } : undefined;
}

export function formatServiceAccount({ namespace, name }: ServiceAccount): string {
  return `system:serviceaccount:${namespace}:${name}`;
}
