// The flags of the webhook, the environment variables of the same names, and what must hold between them. Reads nothing
// itself.

import { COMMON_OPTIONS, findPolicyMistakes } from '@countersign/common/runtime/options/common-options.ts';
import { type Config, defineOptions } from '@countersign/common/runtime/options/config.ts';
import { MAX_TTL_MS } from './permission-cache.ts';

export const OPTIONS = defineOptions({
  ...COMMON_OPTIONS,
  address: {
    kind: 'address',
    default: '127.0.0.1:8443',
    help: 'Where the API server calls (HTTPS): <host>:<port>, or :<port> for all addresses.',
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
  managedCertificateSecret: {
    kind: 'string',
    default: '',
    help: 'Instead of these: keep an own CA in this Secret, <namespace>/<name>, and make the serving certificate from it.',
  },
  webhookConfiguration: {
    kind: 'string',
    default: '',
    help: 'With --managed-certificate-secret: name of the ValidatingWebhookConfiguration that is told the CA.',
  },
  clientCaFile: {
    kind: 'string',
    default: '',
    help: 'File with the CA certificates (PEM) of the callers: only callers with a client certificate from them are served. Read again when it changes. Empty: all callers are served.',
  },
  dnsNames: {
    kind: 'string',
    default: '',
    help: 'With --managed-certificate-secret: what the API server calls the webhook by, DNS names or IP addresses, with commas between.',
  },
  permissionTtl: {
    kind: 'duration',
    default: '1s',
    help: 'How long a yes to the same requester, groups and issuer is good for, at most 1s; 0s to ask each time. A no is always asked for anew, and the signer asks again before it signs.',
  },
  secretWarnings: {
    kind: 'boolean',
    default: false,
    help: 'Whether to read the Secret that a request will be signed with, to warn that it is missing or that its CA expires early.',
  },
  drainDelay: {
    kind: 'duration',
    default: '3s',
    help: 'How long to go on serving after SIGTERM, while /readyz already fails and callers turn away.',
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

/** undefined unless exactly one place is given, and whole. */
export function certificatePlace(config: WebhookConfig): CertificatePlace | undefined {
  const places = [filesPlace(config), secretPlace(config), managedPlace(config)].filter(place => place !== 'none');
  const [place] = places;
  return places.length === 1 && place !== 'incomplete' ? place : undefined;
}

type PlaceOrNot = CertificatePlace | 'none' | 'incomplete';

function filesPlace({ tlsCertFile: certFile, tlsKeyFile: keyFile }: WebhookConfig): PlaceOrNot {
  if (certFile === '' && keyFile === '') return 'none';
  return certFile === '' || keyFile === '' ? 'incomplete' : { kind: 'files', certFile, keyFile };
}

function secretPlace({ tlsSecret }: WebhookConfig): PlaceOrNot {
  if (tlsSecret === '') return 'none';
  const secret = parseSecretName(tlsSecret);
  return secret === undefined ? 'incomplete' : { kind: 'secret', secret };
}

function managedPlace({ managedCertificateSecret, webhookConfiguration, dnsNames }: WebhookConfig): PlaceOrNot {
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

/** What is wrong with options that are well-formed one by one. */
export function findMistakes(config: WebhookConfig): string[] {
  const mistakes: string[] = findPolicyMistakes(config);
  if (certificatePlace(config) === undefined) {
    mistakes.push(
      'give one of these: --tls-cert-file and --tls-key-file; --tls-secret=<namespace>/<name>; ' +
        '--managed-certificate-secret=<namespace>/<name> with --webhook-configuration and --dns-names',
    );
  }
  if (config.permissionTtl > MAX_TTL_MS) mistakes.push('--permission-ttl: may be at most 1s');
  return mistakes;
}
