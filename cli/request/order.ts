// What the flags of `request` order: the CSR, and the files to write. Every mistake is a usage error, before anything
// is made.

import { REQUEST_DURATION, REQUEST_IS_CA } from '@countersign/common/annotations.ts';
import { parseGoDuration } from '@countersign/common/duration.ts';
import { hasExternalForm } from '@countersign/common/issuers/external-types.ts';
import { resolveUsages } from '@countersign/common/key-usage.ts';
import { isObjectName } from '@countersign/common/object-name.ts';
import { formatSignerName, parseSignerName } from '@countersign/common/signer-name.ts';
import type { Arguments } from '../arguments/parse.ts';
import { type CliError, usageError } from '../cli-error.ts';
import { safeText } from '../terminal/safe-text.ts';
import { KEY_TYPES, type KeyType } from './key-pair.ts';

export interface Order {
  readonly name: string;
  readonly signerName: string;
  readonly usages: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly keyType: KeyType;
}

const ADVICE = 'Run kubectl countersign request --help.';

/** `namespace` is that of an Issuer. */
export function readOrder(given: Arguments, namespace: string): Order {
  const [name, ...others] = given.names;
  if (name === undefined || others.length > 0) throw refuse('request takes one name, that of the CSR to create');
  if (!isObjectName(name))
    throw refuse(`"${safeText(name)}" is not a valid name: use lowercase letters, digits, "-" and "."`);
  const keyType = KEY_TYPES.find(type => type === (given.text('key-type') ?? 'ecdsa-p256')) ?? 'ecdsa-p256';
  return {
    name,
    signerName: readSignerName(given, namespace),
    usages: readUsages(given, keyType),
    annotations: { ...readDuration(given), ...(given.has('ca') && { [REQUEST_IS_CA]: 'true' }) },
    keyType,
  };
}

function refuse(message: string): CliError {
  return usageError(message, ADVICE);
}

function readSignerName(given: Arguments, namespace: string): string {
  const [issuer, clusterIssuer, signerName] = ['issuer', 'cluster-issuer', 'signer-name'].map(flag => given.text(flag));
  if ([issuer, clusterIssuer, signerName].filter(text => text !== undefined).length !== 1) {
    throw refuse('give one of --issuer, --cluster-issuer and --signer-name');
  }
  const text =
    signerName ??
    formatSignerName(
      issuer === undefined
        ? { kind: 'ClusterIssuer', namespace: '', name: clusterIssuer ?? '' }
        : { kind: 'Issuer', namespace, name: issuer },
    );
  const parsed = parseSignerName(text);
  if (parsed.ok || hasExternalForm(text)) return text;
  throw refuse(
    `"${safeText(text)}" ${parsed.error.kind === 'foreign' ? 'is not the signer name of an issuer' : `is malformed: ${parsed.error.detail}`}`,
  );
}

/** RSA keys can encrypt; the others only sign. */
function readUsages(given: Arguments, keyType: KeyType): readonly string[] {
  const usages = given
    .list('usage')
    .flatMap(list => list.split(','))
    .map(usage => usage.trim());
  const known = resolveUsages(usages);
  if (!known.ok) throw refuse(`--usage: ${known.error}`);
  if (usages.length > 0) return usages;
  if (given.has('ca')) return ['digital signature', 'cert sign', 'crl sign'];
  return ['digital signature', ...(keyType.startsWith('rsa') ? ['key encipherment'] : []), 'server auth'];
}

function readDuration(given: Arguments): Readonly<Record<string, string>> {
  const text = given.text('duration');
  if (text === undefined) return {};
  const duration = parseGoDuration(text);
  if (!duration.ok) throw refuse(`--duration: ${safeText(duration.error)}; use for example 2160h, days have no unit`);
  return { [REQUEST_DURATION]: text };
}
