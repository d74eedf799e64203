// Parses spec.request of a CSR: base64 of the PEM of a PKCS#10 request (RFC 2986), into the parts that are copied into
// the certificate byte for byte. Stricter than the API server where two parsers could see two requests in one text
// (docs/differences.md). Never judges the request.

import { err, ok, type Result } from '../result.ts';
import { isInt64, readFields, TAG, type Tlv } from './der.ts';
import { checkName } from './distinguished-name.ts';
import type { Extension } from './extension.ts';
import { decodeBase64, parsePem } from './pem.ts';
import { checkPublicKey, readAlgorithm } from './public-key.ts';
import { parseAttributes } from './requested-extensions.ts';
import { isValidSignature, readSigned } from './signature.ts';

export interface Pkcs10 {
  readonly der: Buffer;
  /** The DER of the Name, as it was sent. */
  readonly subject: Buffer;
  readonly hasEmptySubject: boolean;
  /** The DER of the SubjectPublicKeyInfo, as it was sent. */
  readonly spki: Buffer;
  readonly extensions: readonly Extension[];
  /** The DER of the AlgorithmIdentifier. */
  readonly signatureAlgorithm: Buffer;
  /** What was signed: the DER of the CertificationRequestInfo. */
  readonly certificationRequestInfo: Buffer;
  readonly signature: Buffer;
}

/** Bytes of PEM: cert-manager's limit for a request. */
const MAX_PEM_SIZE = 36_500;

/** Characters of base64; longer text is rejected unread. */
export const MAX_REQUEST_LENGTH = MAX_PEM_SIZE * 2;

/** The second label is what some old tools write (RFC 7468 section 7). */
const LABELS: ReadonlySet<string> = new Set(['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST']);

/** Parses the base64 text of spec.request. The error is for the requester. Does not verify the signature. */
export function parsePkcs10(request: string): Result<Pkcs10> {
  const der = decodeRequest(request);
  return der.ok ? parsePkcs10Der(der.value) : err(`error decoding certificate request PEM block: ${der.error}`);
}

/** Whether the requester has the private key (RFC 2986 section 3). False for unknown algorithms and keys. */
export function hasValidSignature(request: Pkcs10): boolean {
  const { signatureAlgorithm, spki, certificationRequestInfo, signature } = request;
  const signed = { algorithm: signatureAlgorithm, spki, data: certificationRequestInfo, signature };
  // SHA-1 only proves possession here, for a fresh request: the API server and cert-manager accept it.
  return isValidSignature(signed, 'sha1');
}

function decodeRequest(request: string): Result<Buffer> {
  // Base64 of the largest accepted PEM, so that a huge text is rejected before it is copied.
  if (request.length > MAX_REQUEST_LENGTH) return err(`provided PEM data was larger than the maximum ${MAX_PEM_SIZE}B`);
  const pem = decodeBase64(request);
  if (!pem.ok) return err(`${pem.error}: encode the PEM once, for example with base64 -w0`);
  if (pem.value.length > MAX_PEM_SIZE) return err(`provided PEM data was larger than the maximum ${MAX_PEM_SIZE}B`);
  const blocks = parsePem(pem.value.toString('latin1'));
  if (!blocks.ok) return blocks;
  const [block, ...others] = blocks.value;
  if (block === undefined) return err('no PEM data was found in given input');
  if (others.length > 0) return err('found more than one PEM block: create one CSR for each request');
  return LABELS.has(block.label)
    ? ok(block.der)
    : err(`unexpected PEM block ${block.label}: must be CERTIFICATE REQUEST`);
}

const OTHER_TOOL = 'create the request with another tool, such as openssl req';

/** Parses the DER of a PKCS#10 request, as parsePkcs10 does. */
export function parsePkcs10Der(der: Buffer): Result<Pkcs10> {
  const parts = readSigned(der);
  if (!parts.ok) return fail(`malformed CertificationRequest (${parts.error}): ${OTHER_TOOL}`);
  const [info, algorithm, signature] = parts.value;
  const content = parseInfo(info);
  if (!content.ok) return fail(content.error);
  // The signer could not verify, after approval, what only Go can parse.
  if (!readAlgorithm(algorithm).ok) return fail(`malformed signature algorithm: ${OTHER_TOOL}`);
  if (signature.value[0] !== 0) return fail(`the signature has unused bits: ${OTHER_TOOL}`);
  return ok({
    der,
    ...content.value,
    signatureAlgorithm: algorithm.bytes,
    certificationRequestInfo: info.bytes,
    signature: signature.value.subarray(1),
  });
}

function fail(problem: string): Result<never> {
  return err(`error parsing certificate request: ${problem}`);
}

function parseInfo(info: Tlv): Result<Pick<Pkcs10, 'subject' | 'hasEmptySubject' | 'spki' | 'extensions'>> {
  // RFC 2986 section 4.1: version, subject, key, and attributes as [0] IMPLICIT SET.
  const fields = readFields(info, TAG.sequence, [TAG.integer, TAG.sequence, TAG.sequence, 0xa0]);
  if (!fields.ok) {
    return err(`malformed CertificationRequestInfo (${fields.error}): ${OTHER_TOOL}`);
  }
  const [version, subject, spki, attributes] = fields.value;
  // Go accepts any number, although there is only one version.
  if (!isInt64(version.value)) return err(`the version is not an integer of at most 64 bits: ${OTHER_TOOL}`);
  const name = checkName(subject);
  if (!name.ok) return err(`subject: ${name.error}`);
  const key = checkPublicKey(spki.bytes);
  if (!key.ok) return key;
  const extensions = parseAttributes(attributes);
  if (!extensions.ok) return extensions;
  const hasEmptySubject = subject.value.length === 0;
  return ok({ subject: subject.bytes, hasEmptySubject, spki: spki.bytes, extensions: extensions.value });
}
