// Explains why bytes cannot be read as a PEM certificate or private key: what they contain instead, and what to do.
// Inspects labels and structure only, and never repeats content.

import { decodeOid, readChildren, readWhole, TAG, type Tlv } from './x509/der.ts';

export type Wanted = 'certificate' | 'private key';

/** Kinds of content that both PEM and DER can hold. */
type ContentKind = 'certificate' | 'private key' | 'encrypted private key' | 'request' | 'PKCS#7' | 'public key';

/** Undefined if the content is not recognized. */
export function explainContent(bytes: Buffer, wanted: Wanted): string | undefined {
  if (bytes.toString('latin1').trim() === '') return `expected a ${wanted} in PEM, found no data`;
  return explainEncoding(bytes) ?? explainPem(bytes, wanted) ?? explainBinary(bytes, wanted);
}

function startsWith(bytes: Buffer, hex: string): boolean {
  return bytes.subarray(0, hex.length / 2).toString('hex') === hex;
}

function explainEncoding(bytes: Buffer): string | undefined {
  if (startsWith(bytes, 'efbbbf')) return 'found a byte order mark: save the file as UTF-8 without one';
  if (startsWith(bytes, 'fffe') || startsWith(bytes, 'feff'))
    return 'found UTF-16 text: save it as UTF-8 without a byte order mark';
  // The base64 of -----BEGIN.
  return bytes.subarray(0, 14).toString('latin1') === 'LS0tLS1CRUdJTi'
    ? 'found base64-encoded PEM: decode it once (in a Secret, data takes the base64 of the PEM, stringData the PEM itself)'
    : undefined;
}

const KINDS_BY_LABEL: ReadonlyMap<string, ContentKind> = new Map([
  ['CERTIFICATE', 'certificate'],
  ['X509 CERTIFICATE', 'certificate'],
  ['TRUSTED CERTIFICATE', 'certificate'],
  ['PRIVATE KEY', 'private key'],
  ['RSA PRIVATE KEY', 'private key'],
  ['EC PRIVATE KEY', 'private key'],
  ['ENCRYPTED PRIVATE KEY', 'encrypted private key'],
  ['CERTIFICATE REQUEST', 'request'],
  ['NEW CERTIFICATE REQUEST', 'request'],
  ['PKCS7', 'PKCS#7'],
  ['PUBLIC KEY', 'public key'],
]);

function explainPem(bytes: Buffer, wanted: Wanted): string | undefined {
  const text = bytes.toString('latin1');
  const labels = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)].map(([, label = '']) => label);
  if (wanted === 'private key' && labels.includes('OPENSSH PRIVATE KEY')) {
    return 'found an OpenSSH private key: convert a copy of it with "ssh-keygen -p -m PKCS8 -f <copy>"';
  }
  if (wanted === 'private key' && /^Proc-Type:.*ENCRYPTED/m.test(text))
    return explainKind('encrypted private key', wanted);
  const kinds = labels.map(label => KINDS_BY_LABEL.get(label)).filter(kind => kind !== undefined);
  const [first] = kinds;
  if (first === undefined || kinds.every(kind => kind === wanted)) return undefined;
  if (!kinds.includes(wanted)) return explainKind(first, wanted);
  return `found PEM blocks other than the ${wanted}: remove them`;
}

/** Undefined for the wanted kind. */
function explainKind(kind: ContentKind, wanted: Wanted): string | undefined {
  if (kind === wanted) return undefined;
  switch (kind) {
    case 'encrypted private key':
      return wanted === 'private key'
        ? 'found an encrypted private key: decrypt it with "openssl pkey -in <file> -out <new file>"'
        : 'found a private key, expected a certificate: check whether the two are swapped';
    case 'request':
      return `found a certificate signing request, expected a ${wanted}: ${wanted === 'certificate' ? 'use the certificate that was issued for it' : 'use the key that it was created with'}`;
    case 'PKCS#7':
      return 'found a PKCS#7 bundle: extract the certificates with "openssl pkcs7 -print_certs -in <file>"';
    case 'public key':
      return `found a public key, expected a ${wanted}: use the ${wanted}`;
    default:
      return `found a ${kind}, expected a ${wanted}: check whether the two are swapped`;
  }
}

const PKCS12_REMEDY = {
  certificate: 'extract the certificates with "openssl pkcs12 -in <file> -nokeys"',
  'private key': 'extract the key with "openssl pkcs12 -in <file> -nocerts -noenc"',
};

function explainBinary(bytes: Buffer, wanted: Wanted): string | undefined {
  if (isPkcs12(bytes)) return `found a PKCS#12 file, expected PEM: ${PKCS12_REMEDY[wanted]}`;
  if (startsWith(bytes, 'feedfeed'))
    return `found a Java keystore, expected PEM: convert it to PKCS#12 with keytool, then ${PKCS12_REMEDY[wanted]}`;
  const kind = identifyDer(bytes);
  if (kind === undefined) return undefined;
  const command = wanted === 'certificate' ? 'x509' : 'pkey';
  return (
    explainKind(kind, wanted) ??
    `found a ${wanted} in DER, expected PEM: convert it with "openssl ${command} -inform DER -in <file> -out <new file>"`
  );
}

/**
 * PFX version 3 (RFC 7292 section 4), in DER or in BER with indefinite length, which some programs write; then
 * a ContentInfo.
 */
function isPkcs12(bytes: Buffer): boolean {
  const [version, info] = childrenOf(bytes);
  const isVersion3 = version?.bytes.toString('hex') === '020103' && info?.tag === TAG.sequence;
  return isVersion3 || startsWith(bytes, '3080020103');
}

const SIGNED_DATA = '1.2.840.113549.1.7.2';

/** The first fields of each structure (RFC 5958, RFC 5915, RFC 8017 appendix A.1.2, RFC 5280 section 4.1). */
const SHAPES: readonly (readonly [kind: ContentKind, ...tags: readonly number[]])[] = [
  ['private key', TAG.integer, TAG.sequence, TAG.octetString],
  ['private key', TAG.integer, TAG.octetString],
  ['private key', TAG.integer, TAG.integer, TAG.integer, TAG.integer],
  ['encrypted private key', TAG.sequence, TAG.octetString],
  ['public key', TAG.sequence, TAG.bitString],
];

function identifyDer(bytes: Buffer): ContentKind | undefined {
  const fields = childrenOf(bytes);
  const [first] = fields;
  if (first?.tag === TAG.oid) return isSignedData(first) ? 'PKCS#7' : undefined;
  const hasShape = (tags: readonly number[]) => tags.every((tag, at) => fields[at]?.tag === tag);
  if (first !== undefined && hasShape([TAG.sequence, TAG.sequence, TAG.bitString])) return identifySigned(first);
  return SHAPES.find(([, ...tags]) => hasShape(tags))?.[0];
}

function isSignedData({ value }: Tlv): boolean {
  const oid = decodeOid(value);
  return oid.ok && oid.value === SIGNED_DATA;
}

/** A request ends with its attributes [0]; in a certificate [0] is the version and comes first. */
function identifySigned({ bytes }: Tlv): ContentKind {
  const fields = childrenOf(bytes);
  return fields.length === 4 && fields.at(-1)?.tag === 0xa0 ? 'request' : 'certificate';
}

function childrenOf(bytes: Buffer): readonly Tlv[] {
  const whole = readWhole(bytes);
  const children = whole.ok && whole.value.tag === TAG.sequence ? readChildren(whole.value) : undefined;
  return children?.ok ? children.value : [];
}
