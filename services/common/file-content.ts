// What the bytes are that somebody gave as a certificate or a private key in PEM, where they cannot be read as that: which mistake
// it is, and what to do. Looks at labels and structure alone, and never repeats a part of the content.

import { decodeOid, readChildren, readWhole, TAG, type Tlv } from './x509/der.ts';

export type Wanted = 'certificate' | 'private key';

/** Of the kinds of content, those that PEM and DER both can hold. */
type Thing = 'certificate' | 'private key' | 'encrypted private key' | 'request' | 'PKCS#7' | 'public key';

/** For content that could not be read as what is wanted; undefined where nothing can be told. */
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

const THINGS: ReadonlyMap<string, Thing> = new Map([
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
    return explainThing('encrypted private key', wanted);
  const things = labels.map(label => THINGS.get(label)).filter(thing => thing !== undefined);
  const [first] = things;
  if (first === undefined || things.every(thing => thing === wanted)) return undefined;
  if (!things.includes(wanted)) return explainThing(first, wanted);
  return `found PEM blocks other than the ${wanted}: remove them`;
}

/** Undefined for what is wanted itself. */
function explainThing(thing: Thing, wanted: Wanted): string | undefined {
  if (thing === wanted) return undefined;
  switch (thing) {
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
      return `found a ${thing}, expected a ${wanted}: check whether the two are swapped`;
  }
}

const WAY_OUT_OF_PKCS12 = {
  certificate: 'extract the certificates with "openssl pkcs12 -in <file> -nokeys"',
  'private key': 'extract the key with "openssl pkcs12 -in <file> -nocerts -noenc"',
};

function explainBinary(bytes: Buffer, wanted: Wanted): string | undefined {
  if (isPkcs12(bytes)) return `found a PKCS#12 file, expected PEM: ${WAY_OUT_OF_PKCS12[wanted]}`;
  if (startsWith(bytes, 'feedfeed'))
    return `found a Java keystore, expected PEM: convert it to PKCS#12 with keytool, then ${WAY_OUT_OF_PKCS12[wanted]}`;
  const thing = identifyDer(bytes);
  if (thing === undefined) return undefined;
  const command = wanted === 'certificate' ? 'x509' : 'pkey';
  return (
    explainThing(thing, wanted) ??
    `found a ${wanted} in DER, expected PEM: convert it with "openssl ${command} -inform DER -in <file> -out <new file>"`
  );
}

/** Version 3 (RFC 7292 section 4), in DER or in the indefinite form of BER that some programs write; then a ContentInfo. */
function isPkcs12(bytes: Buffer): boolean {
  const [version, info] = childrenOf(bytes);
  const isVersion3 = version?.bytes.toString('hex') === '020103' && info?.tag === TAG.sequence;
  return isVersion3 || startsWith(bytes, '3080020103');
}

const SIGNED_DATA = '1.2.840.113549.1.7.2';

/** How the fields of each begin (RFC 5958, RFC 5915, RFC 8017 appendix A.1.2, RFC 5280 section 4.1). */
const SHAPES: readonly (readonly [thing: Thing, ...tags: readonly number[]])[] = [
  ['private key', TAG.integer, TAG.sequence, TAG.octetString],
  ['private key', TAG.integer, TAG.octetString],
  ['private key', TAG.integer, TAG.integer, TAG.integer, TAG.integer],
  ['encrypted private key', TAG.sequence, TAG.octetString],
  ['public key', TAG.sequence, TAG.bitString],
];

function identifyDer(bytes: Buffer): Thing | undefined {
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

/** A request ends with its attributes [0], which a certificate has at most in front, as its version. */
function identifySigned({ bytes }: Tlv): Thing {
  const fields = childrenOf(bytes);
  return fields.length === 4 && fields.at(-1)?.tag === 0xa0 ? 'request' : 'certificate';
}

function childrenOf(bytes: Buffer): readonly Tlv[] {
  const whole = readWhole(bytes);
  const children = whole.ok && whole.value.tag === TAG.sequence ? readChildren(whole.value) : undefined;
  return children?.ok ? children.value : [];
}
