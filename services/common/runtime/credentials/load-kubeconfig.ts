// Loads the kubeconfig of a process, or the pod's ServiceAccount, and rejects with advice what it does not support: an
// unencrypted or unverified server, a proxy, a user without credentials. Opens no connection.

import { delimiter } from 'node:path';
import { ConfigurationError } from '../configuration-error.ts';
import { KubeconfigFile, withoutContent } from './kubeconfig-file.ts';
import { findUserMistake } from './kubeconfig-user.ts';

/**
 * `paths` as in KUBECONFIG: one file or several; without any, ~/.kube/config, or the pod's ServiceAccount. `context`
 * defaults to the current context.
 */
export function loadKubeconfig(paths: string | undefined, context?: string): KubeconfigFile {
  const files = (paths ?? '').split(delimiter).filter(path => path !== '');
  const where = files.length > 0 ? `kubeconfig ${files.join(delimiter)}` : 'the kubeconfig';
  const kubeconfig = new KubeconfigFile();
  if (files.length > 0) kubeconfig.loadFromFiles(files);
  else loadDefault(kubeconfig);
  if (context !== undefined) useContext(kubeconfig, context, where);
  checkCluster(kubeconfig, files.length > 0, where);
  return kubeconfig;
}

function useContext(kubeconfig: KubeconfigFile, context: string, where: string): void {
  const names = kubeconfig.getContexts().map(({ name }) => name);
  if (!names.includes(context)) {
    throw new Error(`${where}: there is no context ${JSON.stringify(context)}; use one of: ${names.join(', ')}`);
  }
  kubeconfig.setCurrentContext(context);
}

function loadDefault(kubeconfig: KubeconfigFile): void {
  try {
    kubeconfig.loadFromDefault();
  } catch (error) {
    throw withoutContent(error, 'the kubeconfig');
  }
}

function checkCluster(kubeconfig: KubeconfigFile, isGiven: boolean, where: string): void {
  const cluster = kubeconfig.getCurrentCluster();
  if (!cluster) throw new ConfigurationError(`${where}: the current context has no cluster; set current-context`);
  // client-node's fallback without kubeconfig and ServiceAccount.
  if (!isGiven && cluster.name === 'cluster' && cluster.server === 'http://localhost:8080') {
    throw new ConfigurationError(
      'no API server configured: set --kubeconfig or KUBECONFIG, or run in a pod with a ServiceAccount',
    );
  }
  if (cluster.proxyUrl) {
    throw new ConfigurationError(
      `${where}: proxy-url is not supported; remove it and set server to an address reachable without a proxy`,
    );
  }
  const server = URL.parse(cluster.server);
  if (server === null) throw new ConfigurationError(`${where}: the server of the current cluster is not a URL`);
  checkServer(server, cluster.skipTLSVerify, where);
  // `kubectl proxy` needs no user.
  if (server.protocol === 'https:') checkUser(kubeconfig, where);
}

function checkUser(kubeconfig: KubeconfigFile, where: string): void {
  // For a pod's ServiceAccount, what client-node reads is enough.
  const fields = kubeconfig.currentFields ?? (kubeconfig.getCurrentUser() === null ? {} : undefined);
  const mistake = fields && findUserMistake(fields);
  if (mistake !== undefined) throw new ConfigurationError(`${where}: ${mistake}`);
}

function checkServer(server: URL, skipTLSVerify: boolean | undefined, where: string): void {
  if (server.protocol === 'https:' && skipTLSVerify) {
    throw new ConfigurationError(
      `${where}: insecure-skip-tls-verify is not accepted; put the CA in certificate-authority-data`,
    );
  }
  if (server.protocol !== 'http:') return;
  if (!['127.0.0.1', '[::1]', 'localhost'].includes(server.hostname)) {
    throw new ConfigurationError(
      `${where}: the server ${server.origin} is not encrypted; http is accepted for loopback only`,
    );
  }
  // client-node would refuse every request.
  if (!skipTLSVerify)
    throw new ConfigurationError(
      `${where}: the server ${server.origin} is not encrypted; set insecure-skip-tls-verify: true to allow it`,
    );
}
