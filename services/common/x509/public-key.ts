// The type of a public key (SubjectPublicKeyInfo), as Go distinguishes them: RSA, ECDSA on the NIST curves, Ed25519.
// Other types, and other forms of these (explicit curve, compressed point), are unsupported. Judges the strength of RSA
// keys only, as Go does.

import { err, ok, type Result } from '../result.ts';
import { decodeOid, readChildren, readFields, readWhole, TAG, type Tlv } from './der.ts';
import { CURVE, PUBLIC_KEY } from './oids.ts';
import { findRsaProblem } from './rsa-public-key.ts';

export type KeyKind = 'rsa' | 'ec' | 'ed25519';

const KINDS: ReadonlyMap<string, KeyKind> = new Map([
  [PUBLIC_KEY.rsa, 'rsa'],
  [PUBLIC_KEY.ec, 'ec'],
  [PUBLIC_KEY.ed25519, 'ed25519'],
]);

/** The type of the key in this DER SubjectPublicKeyInfo, or why a certificate cannot have it. */
export function checkPublicKey(spki: Buffer): Result<KeyKind> {
  const key = readSpki(spki);
  if (!key.ok) return err(MALFORMED);
  const kind = KINDS.get(key.value.oid);
  if (kind === undefined) return err(UNSUPPORTED_TYPE);
  const problem = findProblem(kind, key.value);
  return problem === undefined ? ok(kind) : err(problem);
}

const MALFORMED =
  'malformed public key: not an algorithm and a key without unused bits, in DER; create it with another tool';
const UNSUPPORTED_TYPE = 'unsupported public key type: use RSA, ECDSA on P-224, P-256, P-384 or P-521, or Ed25519';
const INVALID_POINT =
  'the ECDSA public key must be an uncompressed point on a named curve: P-224, P-256, P-384 or P-521';
const INVALID_ED25519 = 'malformed Ed25519 public key: create a new key and request';

/** Requires the parameters and octets of the standard of each type, which is all that Go accepts. */
function findProblem(kind: KeyKind, { parameters, octets }: SubjectPublicKeyInfo): string | undefined {
  switch (kind) {
    case 'rsa':
      return findRsaProblem(parameters, octets);
    case 'ec':
      return isNamedCurve(parameters) && octets[0] === 0x04 ? undefined : INVALID_POINT;
    case 'ed25519':
      return parameters === undefined && octets.length === 32 ? undefined : INVALID_ED25519;
  }
}

/** The octets of the subjectPublicKey BIT STRING, without the count of unused bits. */
export function publicKeyOctets(spki: Buffer): Buffer | undefined {
  const key = readSpki(spki);
  return key.ok ? key.value.octets : undefined;
}

function isNamedCurve(parameters: Tlv | undefined): boolean {
  if (parameters?.tag !== TAG.oid) return false;
  const oid = decodeOid(parameters.value);
  return oid.ok && (Object.values(CURVE) as string[]).includes(oid.value);
}

interface SubjectPublicKeyInfo extends AlgorithmIdentifier {
  readonly octets: Buffer;
}

function readSpki(spki: Buffer): Result<SubjectPublicKeyInfo> {
  const whole = readWhole(spki);
  const fields = whole.ok ? readFields(whole.value, TAG.sequence, [TAG.sequence, TAG.bitString]) : whole;
  if (!fields.ok) return fields;
  const [algorithm, bits] = fields.value;
  if (bits.value[0] !== 0) return err('public key has unused bits');
  const identifier = readAlgorithm(algorithm);
  return identifier.ok ? ok({ ...identifier.value, octets: bits.value.subarray(1) }) : identifier;
}

export interface AlgorithmIdentifier {
  readonly oid: string;
  readonly parameters: Tlv | undefined;
}

/** Reads an AlgorithmIdentifier (RFC 5280 section 4.1.1.2). */
export function readAlgorithm(element: Tlv): Result<AlgorithmIdentifier> {
  const children = readChildren(element);
  if (!children.ok) return children;
  const [type, parameters] = children.value;
  const fields = readFields(element, TAG.sequence, parameters ? [TAG.oid, TAG.any] : [TAG.oid]);
  const oid = fields.ok && type !== undefined ? decodeOid(type.value) : fields;
  return oid.ok ? ok({ oid: oid.value as string, parameters }) : oid;
}
