// An API server client with minimal permissions: a ServiceAccount, a ClusterRole of the same name, and a kubeconfig.

import { join } from 'node:path';
import type { Cluster } from './cluster.ts';
import { writeAccountKubeconfig } from './service-process.ts';

export interface Account {
  readonly account: string;
  /** Must exist. */
  readonly namespace: string;
}

export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** Returns the path of the kubeconfig. */
export async function createAccount(
  cluster: Cluster,
  { account, namespace }: Account,
  rules: readonly PolicyRule[],
): Promise<string> {
  await cluster.kubectl(['create', 'serviceaccount', account, '-n', namespace]);
  const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: account }, rules };
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(role));
  const subject = `--serviceaccount=${namespace}:${account}`;
  await cluster.kubectl(['create', 'clusterrolebinding', account, `--clusterrole=${account}`, subject]);
  const path = join(cluster.controlPlane.dir, `${account}.kubeconfig`);
  return writeAccountKubeconfig(cluster.controlPlane, { account, namespace, path });
}
