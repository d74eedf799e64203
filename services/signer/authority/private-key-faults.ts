// Which private keys Go's parsers refuse though OpenSSL reads them (PKCS#8, PKCS#1, SEC1): a key that another program cannot
// read, or whose numbers do not belong together, signs for nobody for long. A kind that Go does not know is left to the caller.
// Errors tell nothing of the key.

import { createECDH } from 'node:crypto';
import {
  contextTag,
  decodeOid,
  decodeUnsigned,
  readChildren,
  readWhole,
  TAG,
  type Tlv,
} from '@countersign/common/der.ts';
import { CURVE, PUBLIC_KEY } from '@countersign/common/oids.ts';
import { type AlgorithmIdentifier, readAlgorithm } from '@countersign/common/public-key.ts';
import { findRsaNumbersFault } from './rsa-numbers.ts';

const MALFORMED = 'malformed key';

/** The fault of what a PEM block of this label holds; undefined when there is none. */
export function findPrivateKeyFault(label: string, der: Buffer): string | undefined {
  if (label === 'RSA PRIVATE KEY') return findRsaFault(der);
  if (label === 'EC PRIVATE KEY') return findEcFault(der, undefined);
  return findPkcs8Fault(der);
}

/** Version, algorithm, key, then attributes and the public key, both optional (RFC 5958 section 2). */
function findPkcs8Fault(der: Buffer): string | undefined {
  const [version, identifier, key, ...others] = childrenOf(der) ?? [];
  const algorithm = identifier && readAlgorithm(identifier);
  const isWhole = isVersion(version, [0, 1]) && key?.tag === TAG.octetString && others.length <= 2;
  return isWhole && algorithm?.ok ? findInnerFault(algorithm.value, key.value) : MALFORMED;
}

function findInnerFault({ oid, parameters }: AlgorithmIdentifier, key: Buffer): string | undefined {
  switch (oid) {
    case PUBLIC_KEY.rsa:
      return findRsaFault(key);
    case PUBLIC_KEY.ec:
      return parameters?.tag === TAG.oid ? findEcFault(key, parameters) : NO_CURVE;
    case PUBLIC_KEY.ed25519:
      return parameters === undefined && isSeed(key) ? undefined : MALFORMED;
    default:
      return undefined;
  }
}

/** Version 0, so that there are two primes (RFC 8017 appendix A.1.2). */
function findRsaFault(der: Buffer): string | undefined {
  const [version, ...numbers] = childrenOf(der) ?? [];
  const magnitudes = numbers.map(({ tag, value }) => (tag === TAG.integer ? decodeUnsigned(value) : undefined));
  const values = magnitudes.flatMap(each => (each?.ok && each.value.length > 0 ? [each.value] : []));
  if (!isVersion(version, [0]) || numbers.length !== 8 || values.length !== 8) return MALFORMED;
  return findRsaNumbersFault(values);
}

/** The curves that Go knows, as OpenSSL calls them. */
const CURVE_NAMES: ReadonlyMap<string, string> = new Map([
  [CURVE.p224, 'secp224r1'],
  [CURVE.p256, 'prime256v1'],
  [CURVE.p384, 'secp384r1'],
  [CURVE.p521, 'secp521r1'],
]);

const NO_CURVE = 'unknown elliptic curve: make the key on P-256, P-384 or P-521, by name';

/** `outer` is the curve that PKCS#8 names around the key. */
function findEcFault(der: Buffer, outer: Tlv | undefined): string | undefined {
  const key = readEcKey(der);
  if (key === undefined) return MALFORMED;
  const curve = nameCurve(key.curve, outer);
  if (curve === undefined) return NO_CURVE;
  return isNumberOf(curve, key.number) ? undefined : 'the private number is not one of its curve';
}

/** Version 1, number, curve, point (RFC 5915 section 3). */
function readEcKey(der: Buffer): { readonly number: Buffer; readonly curve: Tlv | undefined } | undefined {
  const [version, number, ...optional] = childrenOf(der) ?? [];
  if (!isVersion(version, [1]) || number?.tag !== TAG.octetString || !areInOrder(optional)) return undefined;
  const parameters = optional.find(({ tag }) => tag === contextTag(0, 'constructed'));
  const curve = parameters && readWhole(parameters.value);
  return curve?.ok === false ? undefined : { number: number.value, curve: curve?.value };
}

/** Undefined unless both name the same, and one that Go knows. */
function nameCurve(inner: Tlv | undefined, outer: Tlv | undefined): string | undefined {
  const named = outer ?? inner;
  const isSame = inner === undefined || named?.bytes.equals(inner.bytes) === true;
  const oid = named?.tag === TAG.oid && isSame ? decodeOid(named.value) : undefined;
  return oid?.ok ? CURVE_NAMES.get(oid.value) : undefined;
}

/** Parameters [0] and public key [1], which is one BIT STRING. */
function areInOrder(optional: readonly Tlv[]): boolean {
  const order = [contextTag(0, 'constructed'), contextTag(1, 'constructed')];
  const places = optional.map(({ tag }) => order.indexOf(tag));
  return places.every((place, at) => place > (places[at - 1] ?? -1));
}

function isNumberOf(curve: string, number: Buffer): boolean {
  try {
    createECDH(curve).setPrivateKey(number);
    return true;
  } catch {
    // It throws for 0 and for what is not below the order of the curve.
    return false;
  }
}

/** 32 octets in an OCTET STRING of their own (RFC 8410 section 7). */
function isSeed(key: Buffer): boolean {
  const seed = readWhole(key);
  return seed.ok && seed.value.tag === TAG.octetString && seed.value.value.length === 32;
}

function isVersion(element: Tlv | undefined, versions: readonly number[]): boolean {
  return element?.tag === TAG.integer && element.value.length === 1 && versions.includes(element.value[0] ?? -1);
}

function childrenOf(der: Buffer): readonly Tlv[] | undefined {
  const whole = readWhole(der);
  const children = whole.ok && whole.value.tag === TAG.sequence ? readChildren(whole.value) : undefined;
  return children?.ok ? children.value : undefined;
}
