// Finds private keys that Go's parsers reject although OpenSSL accepts them (PKCS#8, PKCS#1, SEC1): other programs
// cannot read such a key, or its values are inconsistent. Key types unknown to Go are left to the caller. Pure; errors
// reveal nothing about the key.

import {
  contextTag,
  decodeOid,
  decodeUnsigned,
  readChildren,
  readWhole,
  TAG,
  type Tlv,
} from '@countersign/common/x509/der.ts';
import { CURVE, PUBLIC_KEY } from '@countersign/common/x509/oids.ts';
import { type AlgorithmIdentifier, readAlgorithm } from '@countersign/common/x509/public-key.ts';
import { findRsaNumbersFault } from './rsa-numbers.ts';

const MALFORMED = 'malformed key';

/** Returns the fault in the content of a PEM block with this label, or undefined. */
export function findPrivateKeyFault(label: string, der: Buffer): string | undefined {
  if (label === 'RSA PRIVATE KEY') return findRsaFault(der);
  if (label === 'EC PRIVATE KEY') return findEcFault(der, undefined);
  return findPkcs8Fault(der);
}

/** Version, algorithm, key, then attributes and public key, both optional (RFC 5958 section 2). */
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

/** Version 0: exactly two primes (RFC 8017 appendix A.1.2). */
function findRsaFault(der: Buffer): string | undefined {
  const [version, ...numbers] = childrenOf(der) ?? [];
  const magnitudes = numbers.map(({ tag, value }) => (tag === TAG.integer ? decodeUnsigned(value) : undefined));
  const values = magnitudes.flatMap(each => (each?.ok && each.value.length > 0 ? [each.value] : []));
  if (!isVersion(version, [0]) || numbers.length !== 8 || values.length !== 8) return MALFORMED;
  return findRsaNumbersFault(values);
}

/** The order of each curve that Go supports (SEC 2 section 2): a private key must be below it. */
const ORDERS: ReadonlyMap<string, bigint> = new Map([
  [CURVE.p224, 0xffffffffffffffffffffffffffff16a2e0b8f03e13dd29455c5c2a3dn],
  [CURVE.p256, 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n],
  [CURVE.p384, 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n],
  [
    CURVE.p521,
    0x1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
  ],
]);

const NO_CURVE = 'unknown elliptic curve: use a key on the named curve P-256, P-384 or P-521';

/** `outer` is the curve named by the enclosing PKCS#8. */
function findEcFault(der: Buffer, outer: Tlv | undefined): string | undefined {
  const key = readEcKey(der);
  if (key === undefined) return MALFORMED;
  const order = findOrder(key.curve, outer);
  if (order === undefined) return NO_CURVE;
  const number = BigInt(`0x0${key.number.toString('hex')}`);
  return number > 0n && number < order ? undefined : 'the private key is out of range for its curve';
}

/** Version 1, private key, curve, public key (RFC 5915 section 3). */
function readEcKey(der: Buffer): { readonly number: Buffer; readonly curve: Tlv | undefined } | undefined {
  const [version, number, ...optional] = childrenOf(der) ?? [];
  if (!isVersion(version, [1]) || number?.tag !== TAG.octetString || !areInOrder(optional)) return undefined;
  const parameters = optional.find(({ tag }) => tag === contextTag(0, 'constructed'));
  const curve = parameters && readWhole(parameters.value);
  return curve?.ok === false ? undefined : { number: number.value, curve: curve?.value };
}

/** Returns undefined unless both name the same curve and Go supports it. */
function findOrder(inner: Tlv | undefined, outer: Tlv | undefined): bigint | undefined {
  const named = outer ?? inner;
  const isSame = inner === undefined || named?.bytes.equals(inner.bytes) === true;
  const oid = named?.tag === TAG.oid && isSame ? decodeOid(named.value) : undefined;
  return oid?.ok ? ORDERS.get(oid.value) : undefined;
}

/** Parameters [0] and public key [1], a single BIT STRING. */
function areInOrder(optional: readonly Tlv[]): boolean {
  const order = [contextTag(0, 'constructed'), contextTag(1, 'constructed')];
  const places = optional.map(({ tag }) => order.indexOf(tag));
  return places.every((place, at) => place > (places[at - 1] ?? -1));
}

/** 32 octets in a nested OCTET STRING (RFC 8410 section 7). */
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
