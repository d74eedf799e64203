// Reads the contents of a PKCS#10 request with this project's parsers, in the format of certcheck, and builds a
// matching CSR.

import { REQUEST_IS_CA } from '@countersign/common/annotations.ts';
import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import { isKnownExtKeyUsage, resolveUsages } from '@countersign/common/key-usage.ts';
import { err, ok, type Result } from '@countersign/common/result.ts';
import type { Tlv } from '@countersign/common/x509/der.ts';
import { findExtension } from '@countersign/common/x509/extension.ts';
import { parseBasicConstraints, parseExtKeyUsage, parseKeyUsage } from '@countersign/common/x509/extension-values.ts';
import { readConstraints, rewriteNameConstraints } from '@countersign/common/x509/name-constraints/name-constraints.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';
import { hasValidSignature, type Pkcs10, parsePkcs10 } from '@countersign/common/x509/pkcs10.ts';
import { GENERAL_NAME, readGeneralNames } from '@countersign/common/x509/subject-alt-name.ts';
import { encodeRequest } from '../pkcs10-builder.ts';
import { valueOf } from '../pki.ts';

/** Bytes in hex; constraints as DNS names, networks, mailboxes and URI hosts. */
export interface Contents {
  readonly subject: string;
  readonly key: string;
  readonly san: string;
  readonly dns: readonly string[];
  readonly emails: readonly string[];
  readonly ips: readonly string[];
  readonly uris: number;
  readonly isCA: boolean;
  readonly keyUsage: number;
  readonly extKeyUsages: readonly string[];
  readonly unknownExtKeyUsages: readonly string[];
  readonly permitted: readonly (readonly string[])[];
  readonly excluded: readonly (readonly string[])[];
}

/** Rejects what the webhook or the signer rejects, regardless of the CSR. */
export function readContents(der: Buffer): Result<Contents> {
  const request = parsePkcs10(encodeRequest(der));
  if (!request.ok) return request;
  if (!hasValidSignature(request.value)) return err('the signature is not valid');
  const valueOfExtension = (oid: string) => findExtension(request.value, oid)?.value;
  const [constraints, usage, extUsage] = [EXTENSION.basicConstraints, EXTENSION.keyUsage, EXTENSION.extKeyUsage].map(
    valueOfExtension,
  );
  const isCa = constraints ? parseBasicConstraints(constraints) : ok({ isCa: false });
  const keyUsage = usage ? parseKeyUsage(usage) : ok(0);
  const oids = extUsage ? parseExtKeyUsage(extUsage) : ok([]);
  if (!isCa.ok) return isCa;
  if (!keyUsage.ok) return keyUsage;
  if (!oids.ok) return oids;
  return ok({
    subject: request.value.subject.toString('hex'),
    key: request.value.spki.toString('hex'),
    ...readNames(valueOfExtension(EXTENSION.subjectAltName)),
    isCA: isCa.value.isCa,
    keyUsage: keyUsage.value,
    extKeyUsages: oids.value,
    unknownExtKeyUsages: oids.value.filter(oid => !isKnownExtKeyUsage(oid)),
    ...readLists(valueOfExtension(EXTENSION.nameConstraints)),
  });
}

type Value = Pick<Tlv, 'tag' | 'value'>;

const hexOf = (names: readonly Value[], kind: number) =>
  names.filter(({ tag }) => tag === kind).map(({ value }) => value.toString('hex'));

function readNames(san: Buffer | undefined): Pick<Contents, 'san' | 'dns' | 'emails' | 'ips' | 'uris'> {
  const names = san ? valueOf(readGeneralNames(san)) : [];
  return {
    san: san?.toString('hex') ?? '',
    dns: hexOf(names, GENERAL_NAME.dnsName),
    emails: hexOf(names, GENERAL_NAME.rfc822Name),
    ips: hexOf(names, GENERAL_NAME.ipAddress),
    uris: hexOf(names, GENERAL_NAME.uniformResourceIdentifier).length,
  };
}

function readLists(value: Buffer | undefined): Pick<Contents, 'permitted' | 'excluded'> {
  const lists = value ? valueOf(readConstraints(valueOf(rewriteNameConstraints(value)))) : [];
  const subtreesOf = (tag: number) => lists.find(list => list.tag === tag)?.subtrees ?? [];
  const { dnsName, ipAddress, rfc822Name, uniformResourceIdentifier } = GENERAL_NAME;
  const kinds = [dnsName, ipAddress, rfc822Name, uniformResourceIdentifier];
  const [permitted = [], excluded = []] = [0xa0, 0xa1].map(tag => kinds.map(kind => hexOf(subtreesOf(tag), kind)));
  return { permitted, excluded };
}

/** One name for each usage that a CSR can request. */
const USAGES = [
  ...['digital signature', 'content commitment', 'key encipherment', 'data encipherment', 'key agreement', 'cert sign'],
  ...['crl sign', 'encipher only', 'decipher only', 'any', 'server auth', 'client auth', 'code signing', 's/mime'],
  ...[
    'ipsec end system',
    'ipsec tunnel',
    'ipsec user',
    'timestamping',
    'ocsp signing',
    'microsoft sgc',
    'netscape sgc',
  ],
];

/** Returns a CSR that matches its request. undefined if no usages can match: one has no name, or there are none. */
export function csrFor(request: Pkcs10, contents: Contents): CertificateSigningRequest | undefined {
  const known = contents.extKeyUsages.filter(isKnownExtKeyUsage);
  const asksForUsages = [EXTENSION.keyUsage, EXTENSION.extKeyUsage].some(oid => findExtension(request, oid));
  const nameOf = (oid: string) => USAGES.find(name => valueOf(resolveUsages([name])).extKeyUsages[0] === oid);
  const bits = USAGES.filter(name => (valueOf(resolveUsages([name])).keyUsage & contents.keyUsage) !== 0);
  const usages = asksForUsages ? [...bits, ...known.map(nameOf)] : ['digital signature', 'server auth'];
  if (usages.length === 0 || usages.includes(undefined)) return undefined;
  return {
    metadata: { name: 'fuzz', uid: 'uid', annotations: { [REQUEST_IS_CA]: String(contents.isCA) } },
    spec: {
      signerName: 'clusterissuers.cert-manager.io/ca',
      request: encodeRequest(request.der),
      usages: usages as string[],
    },
  };
}
