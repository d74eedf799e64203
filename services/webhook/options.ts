// The webhook's flags and environment variables, and the rules between them. Reads no configuration itself.

import { COMMON_OPTIONS, findPolicyMistakes } from '@countersign/common/runtime/options/common-options.ts';
import { type Config, defineOptions } from '@countersign/common/runtime/options/config.ts';
import { MAX_TTL_MS } from './permission-cache.ts';

export const OPTIONS = defineOptions({
  ...COMMON_OPTIONS,
  address: {
    kind: 'address',
    default: '127.0.0.1:8443',
    help: 'HTTPS address for the API server: <host>:<port>, or :<port> for all addresses.',
  },
  tlsCertFile: {
    kind: 'string',
    default: '',
    help: 'File with the serving certificate and its chain (PEM). Reloaded when it changes.',
  },
  tlsKeyFile: { kind: 'string', default: '', help: 'File with the private key of the serving certificate (PEM).' },
  tlsSecret: {
    kind: 'string',
    default: '',
    help: 'Alternative to the two files: <namespace>/<name> of a Secret of type kubernetes.io/tls.',
  },
  managedCertificateSecret: {
    kind: 'string',
    default: '',
    help: 'Alternative to these: <namespace>/<name> of the Secret for a self-managed CA, which issues the serving certificate.',
  },
  webhookConfiguration: {
    kind: 'string',
    default: '',
    help: 'With --managed-certificate-secret: ValidatingWebhookConfiguration whose caBundle to update.',
  },
  clientCaFile: {
    kind: 'string',
    default: '',
    help: 'File with the CA certificates (PEM) that client certificates must come from. Reloaded when it changes. Empty: callers need no client certificate.',
  },
  dnsNames: {
    kind: 'string',
    default: '',
    help: 'With --managed-certificate-secret: comma-separated DNS names and IP addresses for the serving certificate.',
  },
  permissionTtl: {
    kind: 'duration',
    default: '1s',
    help: 'How long to cache a positive access review for the same requester, groups and issuer, at most 1s; 0s disables the cache. Negative reviews are not cached, and the signer reviews again before it signs.',
  },
  secretWarnings: {
    kind: 'boolean',
    default: false,
    help: 'Whether to read the Secret that a request will be signed with, to warn if it is missing or if its CA expires before the certificate would.',
  },
  drainDelay: {
    kind: 'duration',
    default: '3s',
    help: 'How long to keep serving after SIGTERM while /readyz fails, so that callers switch to other replicas.',
  },
});

export type WebhookConfig = Config<typeof OPTIONS>;

interface SecretName {
  readonly namespace: string;
  readonly name: string;
}

/** Where the serving certificate comes from. */
export type CertificatePlace =
  | { readonly kind: 'files'; readonly certFile: string; readonly keyFile: string }
  | { readonly kind: 'secret'; readonly secret: SecretName }
  | {
      readonly kind: 'managed';
      readonly secret: SecretName;
      readonly configuration: string;
      readonly names: readonly string[];
    };

/** undefined unless exactly one source is given, and it is complete. */
export function certificatePlace(config: WebhookConfig): CertificatePlace | undefined {
  const sources = [filesSource(config), secretSource(config), managedSource(config)].filter(
    source => source !== 'none',
  );
  const [source] = sources;
  return sources.length === 1 && source !== 'incomplete' ? source : undefined;
}

type SourceOrState = CertificatePlace | 'none' | 'incomplete';

function filesSource({ tlsCertFile: certFile, tlsKeyFile: keyFile }: WebhookConfig): SourceOrState {
  if (certFile === '' && keyFile === '') return 'none';
  return certFile === '' || keyFile === '' ? 'incomplete' : { kind: 'files', certFile, keyFile };
}

function secretSource({ tlsSecret }: WebhookConfig): SourceOrState {
  if (tlsSecret === '') return 'none';
  const secret = parseSecretName(tlsSecret);
  return secret === undefined ? 'incomplete' : { kind: 'secret', secret };
}

function managedSource({ managedCertificateSecret, webhookConfiguration, dnsNames }: WebhookConfig): SourceOrState {
  if (managedCertificateSecret === '' && webhookConfiguration === '' && dnsNames === '') return 'none';
  const secret = parseSecretName(managedCertificateSecret);
  const names = dnsNames.split(',').filter(name => name !== '');
  if (secret === undefined || webhookConfiguration === '' || names.length === 0) return 'incomplete';
  return { kind: 'managed', secret, configuration: webhookConfiguration, names };
}

function parseSecretName(text: string): SecretName | undefined {
  const [, namespace, name] = /^([^/]+)\/([^/]+)$/.exec(text) ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

/** Rules between options that are each well-formed. */
export function findMistakes(config: WebhookConfig): string[] {
  const mistakes: string[] = findPolicyMistakes(config);
  if (certificatePlace(config) === undefined) {
    mistakes.push(
      'set exactly one of these: --tls-cert-file with --tls-key-file; --tls-secret=<namespace>/<name>; ' +
        '--managed-certificate-secret=<namespace>/<name> with --webhook-configuration and --dns-names',
    );
  }
  if (config.permissionTtl > MAX_TTL_MS) mistakes.push('--permission-ttl: must be at most 1s');
  return mistakes;
}
