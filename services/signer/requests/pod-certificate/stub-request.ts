// The PKCS#10 request of a PodCertificateRequest: a stub that has a key and proves its possession, and nothing else.
// kubelet sends no names, so a stub with names is refused: silently dropping them would be worse. Pure.

import { err, ok, type Result } from '@countersign/common/result.ts';
import { readFields, readWhole, TAG, type Tlv } from '@countersign/common/x509/der.ts';
import { type Pkcs10, parsePkcs10Der } from '@countersign/common/x509/pkcs10.ts';
import { checkPublicKey } from '@countersign/common/x509/public-key.ts';
import { readSigned } from '@countersign/common/x509/signature.ts';

export type StubProblem =
  /** `problem` follows the name of the field. */
  { readonly reason: 'InvalidStubRequest'; readonly problem: string } | { readonly reason: 'UnsupportedKeyType' };

/** Characters of base64: the API server's limit of 10 KiB. */
export const MAX_STUB_LENGTH = 13_656;

/** Parses spec.stubPKCS10Request: names are found before an unsupported key. */
export function parseStubRequest(base64: string): Result<Pkcs10, StubProblem> {
  if (base64.length > MAX_STUB_LENGTH) return invalid('is larger than 10 KiB');
  const der = Buffer.from(base64, 'base64');
  const info = readInfo(der);
  if (info === undefined) return invalid('is not a PKCS#10 request in DER');
  const [, subject, spki, attributes] = info;
  if (subject.value.length > 0) return invalid('has a subject');
  if (attributes.value.length > 0) return invalid('has attributes or extensions');
  if (!checkPublicKey(spki.bytes).ok) return err({ reason: 'UnsupportedKeyType' });
  const request = parsePkcs10Der(der);
  return request.ok ? ok(request.value) : invalid(`cannot be read: ${request.error}`);
}

function readInfo(der: Buffer): readonly [version: Tlv, subject: Tlv, spki: Tlv, attributes: Tlv] | undefined {
  const parts = readSigned(der);
  const info = parts.ok ? readWhole(parts.value[0].bytes) : parts;
  const fields = info.ok ? readFields(info.value, TAG.sequence, [TAG.integer, TAG.sequence, TAG.sequence, 0xa0]) : info;
  return fields.ok ? fields.value : undefined;
}

function invalid(problem: string): Result<never, StubProblem> {
  return err({ reason: 'InvalidStubRequest', problem });
}
