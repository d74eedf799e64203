// Compares a remotely issued certificate with the request before it is written. A different key, a CA certificate or an
// extra name makes it useless or dangerous; lesser differences are reported. Pure.

import { hash } from 'node:crypto';
import { MILLISECOND } from '@countersign/common/duration.ts';
import { usageNames } from '@countersign/common/key-usage.ts';
import type { RequestPolicy } from '@countersign/common/request-policy.ts';
import type { RequestedCertificate } from '@countersign/common/requested-certificate.ts';
import { err, ok, type Result } from '@countersign/common/result.ts';
import { findExtension } from '@countersign/common/x509/extension.ts';
import { parseBasicConstraints, parseExtKeyUsage, parseKeyUsage } from '@countersign/common/x509/extension-values.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';
import {
  type CaCertificate,
  type LeafContent,
  parseCertificates,
  readLeafContent,
} from '../authority/ca-certificate.ts';
import type { Chain } from '../authority/chain.ts';
import { findNameDifferences, findNameFault } from './remote-names.ts';

export interface RemoteCertificate {
  readonly chain: Chain;
  /** Hexadecimal. */
  readonly serial: string;
  readonly notAfter: Date;
  /** Hexadecimal SHA-256 of the leaf's DER. */
  readonly sha256: string;
  /** Differences from the request that do not justify rejecting the certificate. */
  readonly differences: readonly string[];
}

interface Limits {
  readonly policy: RequestPolicy;
  readonly now: Date;
}

/** Clocks differ, and remotes may backdate. */
const SLACK_MS = 10 * 60_000;

/** PEM, leaf first; `topPem` is the top CA, if the remote returns it. */
interface Received {
  readonly chainPem: string;
  readonly topPem?: string;
}

export function checkRemoteCertificate(
  received: Received,
  requested: RequestedCertificate,
  limits: Limits,
): Result<RemoteCertificate> {
  // As strict as the API server: a chain that it would reject is detected here.
  const certificates = parseCertificates(received.chainPem);
  if (!certificates.ok) return certificates;
  const leaf = readLeafContent(certificates.value[0]?.der ?? Buffer.alloc(0));
  if (!leaf.ok) return err(`the certificate cannot be read: ${leaf.error}`);
  const fault = findFault(leaf.value, requested) ?? findTimeFault(leaf.value, limits);
  return fault === undefined
    ? ok(describe(received, certificates.value, leaf.value, { requested, limits }))
    : err(fault);
}

function describe(
  { topPem }: Received,
  certificates: readonly Pick<CaCertificate, 'der' | 'pem'>[],
  leaf: LeafContent,
  { requested, limits }: { readonly requested: RequestedCertificate; readonly limits: Limits },
): RemoteCertificate {
  const pems = certificates.map(({ pem }) => pem);
  return {
    chain: { chainPem: pems.join(''), topPem: topPem ?? pems.at(-1) ?? '' },
    serial: leaf.serial.toString('hex'),
    notAfter: leaf.notAfter,
    sha256: hash('sha256', certificates[0]?.der ?? '', 'hex'),
    differences: findDifferences(leaf, requested, limits),
  };
}

/** Detects what would make the certificate valid for more than was requested. */
function findFault(leaf: LeafContent, requested: RequestedCertificate): string | undefined {
  if (!leaf.publicKey.equals(requested.publicKey))
    return 'the public key of the certificate differs from the requested one';
  if (isCa(leaf) && !requested.isCa) return 'the certificate is a CA certificate, which was not requested';
  return findNameFault(namesOf(leaf), requested);
}

function findTimeFault({ notBefore, notAfter }: LeafContent, { policy, now }: Limits): string | undefined {
  const { maxDuration } = policy;
  const lastsMs = notAfter.getTime() - now.getTime() - SLACK_MS;
  if (maxDuration !== undefined && lastsMs > Number(maxDuration / MILLISECOND)) {
    return 'the certificate is valid for longer than the maximum duration';
  }
  return notBefore.getTime() > now.getTime() + SLACK_MS ? 'the certificate is not yet valid' : undefined;
}

function findDifferences(leaf: LeafContent, requested: RequestedCertificate, { now }: Limits): readonly string[] {
  const wanted = now.getTime() + requested.lifetimeMs;
  return [
    ...findNameDifferences(namesOf(leaf), requested),
    ...findUsageDifferences(leaf, requested),
    ...(requested.isCa && !isCa(leaf) ? ['it is not a CA'] : []),
    ...(Math.abs(leaf.notAfter.getTime() - wanted) > SLACK_MS ? [`it expires ${leaf.notAfter.toISOString()}`] : []),
  ];
}

function isCa(leaf: LeafContent): boolean {
  const extension = findExtension(leaf, EXTENSION.basicConstraints);
  const constraints = extension && parseBasicConstraints(extension.value);
  return constraints?.ok === true && constraints.value.isCa;
}

/** A further bit of keyUsage permits no further protocol, and is common; a further extended usage does. */
function findUsageDifferences(leaf: LeafContent, { usages, isCa: asksForCa }: RequestedCertificate): readonly string[] {
  if (asksForCa) return [];
  const issued = usagesOf(leaf);
  const missing = usageNames({
    keyUsage: usages.keyUsage & ~issued.keyUsage,
    extKeyUsages: usages.extKeyUsages.filter(oid => issued.extKeyUsages && !issued.extKeyUsages.includes(oid)),
  });
  const extKeyUsages = issued.extKeyUsages?.filter(oid => !usages.extKeyUsages.includes(oid)) ?? [];
  const added = usageNames({ keyUsage: 0, extKeyUsages });
  return [
    ...(missing.length > 0 ? [`missing usages: ${missing.join(', ')}`] : []),
    ...(added.length > 0 ? [`added usages: ${added.join(', ')}`] : []),
  ];
}

interface IssuedUsages {
  readonly keyUsage: number;
  /** Undefined: every usage. */
  readonly extKeyUsages: readonly string[] | undefined;
}

/** Without the extension, a key may be used for everything. */
function usagesOf(leaf: LeafContent): IssuedUsages {
  const keyUsage = findExtension(leaf, EXTENSION.keyUsage);
  const extKeyUsage = findExtension(leaf, EXTENSION.extKeyUsage);
  const bits = keyUsage && parseKeyUsage(keyUsage.value);
  const oids = extKeyUsage && parseExtKeyUsage(extKeyUsage.value);
  return { keyUsage: bits?.ok ? bits.value : ~0, extKeyUsages: oids?.ok ? oids.value : undefined };
}

function namesOf(leaf: LeafContent) {
  return { subject: leaf.subject, subjectAltName: findExtension(leaf, EXTENSION.subjectAltName)?.value };
}
