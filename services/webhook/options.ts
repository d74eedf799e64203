// The flags of the webhook, the environment variables of the same names, and what must hold between them. Reads nothing
// itself.

import { type Config, defineOptions } from '@countersign/common/runtime/config.ts';
import { LOG_LEVELS } from '@countersign/common/runtime/log.ts';

export const OPTIONS = defineOptions({
  kubeconfig: {
    kind: 'string',
    default: '',
    help: 'Path of a kubeconfig. Without it $KUBECONFIG is taken, else the ServiceAccount of the pod.',
  },
  clusterResourceNamespace: {
    kind: 'string',
    default: '',
    help: 'Namespace of the Secrets that ClusterIssuers name. Without it the own namespace.',
  },
  address: {
    kind: 'string',
    default: '127.0.0.1:8443',
    help: 'Where the API server calls (HTTPS): <host>:<port>; [<host>]:<port> for IPv6.',
  },
  httpAddress: {
    kind: 'string',
    default: '127.0.0.1:9402',
    help: 'Where /metrics, /healthz and /readyz are served: <host>:<port>.',
  },
  tlsCertFile: {
    kind: 'string',
    default: '',
    help: 'File with the serving certificate and its chain (PEM). Read again when it changes.',
  },
  tlsKeyFile: { kind: 'string', default: '', help: 'File with the private key of the serving certificate (PEM).' },
  tlsSecret: {
    kind: 'string',
    default: '',
    help: 'Instead of the two files: <namespace>/<name> of a Secret of type kubernetes.io/tls.',
  },
  drainDelay: {
    kind: 'duration',
    default: '3s',
    help: 'How long to go on serving after SIGTERM, while /readyz already fails and callers turn away.',
  },
  logLevel: { kind: 'enum', values: LOG_LEVELS, default: 'info', help: 'The least level that is logged.' },
});

export type WebhookConfig = Config<typeof OPTIONS>;

/** Where the serving certificate comes from. */
export type CertificatePlace =
  | { readonly certFile: string; readonly keyFile: string }
  | { readonly namespace: string; readonly name: string };

export function certificatePlace({ tlsCertFile, tlsKeyFile, tlsSecret }: WebhookConfig): CertificatePlace | undefined {
  const [, namespace, name] = /^([^/]+)\/([^/]+)$/.exec(tlsSecret) ?? [];
  if (namespace !== undefined && name !== undefined) {
    return tlsCertFile === '' && tlsKeyFile === '' ? { namespace, name } : undefined;
  }
  const hasFiles = tlsCertFile !== '' && tlsKeyFile !== '' && tlsSecret === '';
  return hasFiles ? { certFile: tlsCertFile, keyFile: tlsKeyFile } : undefined;
}

/** `host:port`, `:port` for all addresses. */
export function parseAddress(address: string): { readonly host: string; readonly port: number } | undefined {
  const [, host = '', port = ''] = /^(.*):(\d{1,5})$/.exec(address) ?? [];
  if (port === '' || Number(port) > 65_535) return undefined;
  return { host: host === '' ? '::' : host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

/** What is wrong with options that are well-formed one by one. */
export function findMistakes(config: WebhookConfig): string[] {
  const mistakes: string[] = [];
  if (certificatePlace(config) === undefined) {
    mistakes.push('give either --tls-cert-file and --tls-key-file, or --tls-secret=<namespace>/<name>');
  }
  if (parseAddress(config.address) === undefined) {
    mistakes.push(`--address: "${config.address}" is no address: write <host>:<port>`);
  }
  return mistakes;
}
