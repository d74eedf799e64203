// The webhook's flags and environment variables, and the rules between them. Reads no configuration itself.

import {
  COMMON_OPTIONS,
  findDelegationMistakes,
  findPolicyMistakes,
} from '@countersign/common/runtime/options/common-options.ts';
import { type Config, defineOptions } from '@countersign/common/runtime/options/config.ts';
import { findTooLong } from '@countersign/common/runtime/options/duration-limits.ts';
import { flagOf } from '@countersign/common/runtime/options/option-table.ts';
import type { SecretRef } from '@countersign/common/secret.ts';
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
  dnsNames: {
    kind: 'string',
    default: '',
    help: 'With --managed-certificate-secret: comma-separated DNS names and IP addresses for the serving certificate.',
  },
  clientCaFile: {
    kind: 'string',
    default: '',
    help: 'File with the CA certificates (PEM) that client certificates must come from. Reloaded when it changes. Empty: callers need no client certificate.',
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
  approvalPolicies: {
    kind: 'enum',
    values: ['off', 'warn', 'deny'],
    default: 'off',
    help: 'Whether to evaluate ApprovalPolicies when a CSR is created: off, warn about a CSR that no policy allows, or deny it. CSRs for a signer that no policy names are admitted, since people approve them.',
  },
  drainDelay: {
    kind: 'duration',
    default: '3s',
    help: 'How long to keep serving after SIGTERM while /readyz fails, so that callers switch to other replicas.',
  },
});

export type WebhookConfig = Config<typeof OPTIONS>;

/** Where the serving certificate comes from. */
export type CertificateSource =
  | { readonly kind: 'files'; readonly certFile: string; readonly keyFile: string }
  | { readonly kind: 'secret'; readonly secret: SecretRef }
  | {
      readonly kind: 'managed';
      readonly secret: SecretRef;
      readonly configuration: string;
      readonly names: readonly string[];
    };

/** Undefined if findMistakes reports its flags. */
export function certificateSource(config: WebhookConfig): CertificateSource | undefined {
  if (findCertificateMistakes(config).length > 0) return undefined;
  const { tlsCertFile: certFile, tlsKeyFile: keyFile, tlsSecret, managedCertificateSecret } = config;
  if (certFile !== '') return { kind: 'files', certFile, keyFile };
  const secret = parseSecretName(tlsSecret || managedCertificateSecret);
  if (secret === undefined) return undefined;
  if (tlsSecret !== '') return { kind: 'secret', secret };
  return { kind: 'managed', secret, configuration: config.webhookConfiguration, names: namesOf(config) };
}

/** The flags of each source of the serving certificate. */
const SOURCES = [
  ['tlsCertFile', 'tlsKeyFile'],
  ['tlsSecret'],
  ['managedCertificateSecret', 'webhookConfiguration', 'dnsNames'],
] as const;

const SECRETS = ['tlsSecret', 'managedCertificateSecret'] as const;

function findCertificateMistakes(config: WebhookConfig): string[] {
  const isSet = (name: (typeof SOURCES)[number][number]) => config[name] !== '';
  const [source, ...others] = SOURCES.map(names => ({
    given: names.filter(isSet).map(flagOf),
    missing: names.filter(name => !isSet(name)).map(flagOf),
  })).filter(({ given }) => given.length > 0);
  if (source === undefined) {
    return [
      'no serving certificate: set --tls-cert-file and --tls-key-file, or --tls-secret, or --managed-certificate-secret with --webhook-configuration and --dns-names',
    ];
  }
  if (others.length > 0) {
    const flags = [source, ...others].map(({ given: [flag = ''] }) => flag);
    return [`${conjunction(flags)} exclude each other: set one source of the serving certificate`];
  }
  const { given, missing } = source;
  const malformed = SECRETS.filter(name => isSet(name) && parseSecretName(config[name]) === undefined);
  return [
    ...(missing.length > 0 ? [`${given[0]}: ${conjunction(missing)} must be set too`] : []),
    ...malformed.map(name => `${flagOf(name)}: "${config[name]}" is not <namespace>/<name>`),
    ...(isSet('dnsNames') && namesOf(config).length === 0
      ? [`--dns-names: "${config.dnsNames}" contains no name`]
      : []),
  ];
}

/** `a, b and c`. */
function conjunction(flags: readonly string[]): string {
  return flags.join(', ').replace(/, ([^,]*)$/, ' and $1');
}

function namesOf({ dnsNames }: WebhookConfig): readonly string[] {
  return dnsNames.split(',').filter(name => name !== '');
}

function parseSecretName(text: string): SecretRef | undefined {
  const [, namespace, name] = /^([^/]+)\/([^/]+)$/.exec(text) ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

/** Rules between options that are each well-formed. */
export function findMistakes(config: WebhookConfig): string[] {
  return [
    ...findPolicyMistakes(config),
    ...findDelegationMistakes(config),
    ...findCertificateMistakes(config),
    ...findTooLong('--permission-ttl', config.permissionTtl, MAX_TTL_MS),
  ];
}
