// Finds what Go's certificate parser rejects in a CA certificate although OpenSSL accepts it. The API server parses
// every certificate of a chain with it, as do most verifiers; cert-manager rejects the whole CA. Error texts are Go's
// where Go has one. Pure.

import { contextTag, decodeUnsigned, readWhole, TAG, type Tlv } from '@countersign/common/x509/der.ts';
import { checkName } from '@countersign/common/x509/distinguished-name.ts';
import type { Extension } from '@countersign/common/x509/extension.ts';
import { readAlgorithm } from '@countersign/common/x509/public-key.ts';
import { findExtensionFault } from './extension-faults.ts';
import { findPublicKeyFault, isBitString } from './public-key-faults.ts';

/** The certificate fields that are checked (RFC 5280 section 4.1). */
export interface CertificateFields {
  /** With its explicit tag; absent in version 1. */
  readonly version: Tlv | undefined;
  readonly serial: Tlv;
  /** The algorithm in the signed part, and the one next to the signature. */
  readonly algorithm: Tlv;
  readonly outerAlgorithm: Tlv;
  readonly issuer: Tlv;
  readonly subject: Tlv;
  readonly spki: Tlv;
  /** The fields after the key: unique identifiers and extensions. */
  readonly optional: readonly Tlv[];
  readonly extensions: readonly Extension[];
  readonly signature: Tlv;
}

/** Returns the first fault, or undefined. */
export function findFault(fields: CertificateFields): string | undefined {
  for (const find of FINDERS) {
    const fault = find(fields);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

const FINDERS: readonly ((fields: CertificateFields) => string | undefined)[] = [
  ({ version }) => (version === undefined ? undefined : findVersionFault(version)),
  ({ serial }) => findSerialFault(serial),
  findAlgorithmFault,
  ({ issuer }) => findNameFault('issuer', issuer),
  ({ subject }) => findNameFault('subject', subject),
  ({ spki }) => findPublicKeyFault(spki),
  findOptionalFault,
  ({ extensions }) => extensions.map(findExtensionFault).find(fault => fault !== undefined),
  ({ signature }) => (isBitString(signature.value) ? undefined : 'x509: malformed signature'),
];

/** 0 to 2, for versions 1 to 3. */
function findVersionFault({ value }: Tlv): string | undefined {
  const number = readWhole(value);
  const isKnown = number.ok && number.value.tag === TAG.integer && value.length === 3 && (value[2] ?? 3) < 3;
  return isKnown ? undefined : 'x509: invalid version';
}

function findSerialFault({ tag, value }: Tlv): string | undefined {
  if (tag === TAG.integer && (value[0] ?? 0) >= 0x80) return 'x509: negative serial number';
  return tag === TAG.integer && decodeUnsigned(value).ok ? undefined : 'x509: malformed serial number';
}

function findAlgorithmFault({ algorithm, outerAlgorithm }: CertificateFields): string | undefined {
  if (!algorithm.bytes.equals(outerAlgorithm.bytes)) {
    return "x509: inner and outer signature algorithm identifiers don't match";
  }
  return readAlgorithm(algorithm).ok ? undefined : 'x509: malformed signature algorithm identifier';
}

function findNameFault(whose: string, name: Tlv): string | undefined {
  if (name.tag !== TAG.sequence) return `x509: malformed ${whose}`;
  const checked = checkName(name);
  return checked.ok ? undefined : `${whose}: ${checked.error}`;
}

/**
 * issuerUniqueID [1], subjectUniqueID [2] and extensions [3], each at most once and in this order (RFC 5280
 * section 4.1).
 */
function findOptionalFault({ optional }: CertificateFields): string | undefined {
  const order = [contextTag(1, 'primitive'), contextTag(2, 'primitive'), contextTag(3, 'constructed')];
  const places = optional.map(({ tag }) => order.indexOf(tag));
  const isInOrder = places.every((place, at) => place > (places[at - 1] ?? -1));
  return isInOrder ? undefined : 'x509: malformed certificate: field out of order';
}
