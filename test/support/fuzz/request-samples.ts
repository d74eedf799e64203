// PKCS#10 requests to mutate, with everything that is parsed. Mutated requests are signed again, so that their contents
// are tested and not their signature.

import { createPrivateKey } from 'node:crypto';
import { encodeOid, sequence, TAG, tlv } from '@countersign/common/x509/der.ts';
import { EXTENSION, SIGNATURE } from '@countersign/common/x509/oids.ts';
import { extension, extensionRequest, type RequestSigner, requestInfo, signRequest } from '../pkcs10-builder.ts';
import { readPki } from '../pki.ts';
import { EXTENSIONS } from './certificate-samples.ts';
import { CONTENTS } from './contents.ts';
import { mutate } from './der-tree.ts';
import type { Random } from './random.ts';

export interface RequestSample {
  readonly signer: RequestSigner;
  /** The DER of the CertificationRequestInfo. */
  readonly info: Buffer;
}

const signWith = (file: string, digest: string | null, ...algorithm: readonly Buffer[]): RequestSigner => ({
  key: createPrivateKey(readPki(`keys/${file}`)),
  digest,
  algorithm: sequence(...algorithm),
});

const P256 = signWith('p256', 'sha256', encodeOid(SIGNATURE.ecdsaSha256));
const ED25519 = signWith('ed25519', null, encodeOid(SIGNATURE.ed25519));
const SIGNERS: readonly RequestSigner[] = [
  ED25519,
  P256,
  signWith('rsa2048', 'sha256', encodeOid(SIGNATURE.rsaSha256), tlv(TAG.null)),
  signWith('rsa1024', 'sha1', encodeOid(SIGNATURE.rsaSha1), tlv(TAG.null)),
  signWith('p224', 'sha256', encodeOid(SIGNATURE.ecdsaSha256)),
  signWith('p384', 'sha384', encodeOid(SIGNATURE.ecdsaSha384)),
];

const text = (tag: number, value: string) => tlv(tag, Buffer.from(value, 'latin1'));
const attribute = (type: string, value: Buffer) => tlv(TAG.set, sequence(encodeOid(type), value));
const NAMES = [
  sequence(),
  sequence(attribute('2.5.4.3', text(0x0c, 'a.example'))),
  sequence(
    attribute('2.5.4.10', text(0x13, 'Org *&')),
    tlv(TAG.set, sequence(encodeOid('2.5.4.11'), text(0x16, 'a@b')), sequence(encodeOid('2.5.4.5'), text(0x12, '7'))),
    attribute('2.5.4.3', tlv(0x1e, Buffer.from([0, 0x41]))),
    attribute('2.5.4.45', text(0x14, 't61')),
  ),
];

const SAN = extension(EXTENSION.subjectAltName, sequence(text(0x82, 'a.example'), tlv(0x87, Buffer.alloc(16, 1))));
const USAGES = extension(EXTENSION.keyUsage, tlv(TAG.bitString, Buffer.of(0, 0xa0, 0, 0, 0)), true);
const EXT_USAGES = extension(
  EXTENSION.extKeyUsage,
  sequence(...['1.3.6.1.5.5.7.3.1', '1.2.3.4', '1.3.6.1.5.5.7.3.2'].map(encodeOid)),
);
const CA = extension(EXTENSION.basicConstraints, Buffer.from('30060101ff020100', 'hex'), true);
const CONSTRAINTS = EXTENSIONS.filter(([oid]) => oid === EXTENSION.nameConstraints);
const PASSWORD = sequence(encodeOid('1.2.840.113549.1.9.7'), tlv(TAG.set, text(0x0c, 'secret')));

/** Each extension alone and combined with others, with other attributes, and no extensions. */
const ATTRIBUTES: readonly (readonly Buffer[])[] = [
  [],
  [PASSWORD],
  [extensionRequest()],
  [extensionRequest(SAN), PASSWORD],
  [PASSWORD, extensionRequest(SAN, USAGES, EXT_USAGES)],
  [
    extensionRequest(
      CA,
      USAGES,
      EXT_USAGES,
      SAN,
      ...CONSTRAINTS.map(([oid, value]) => extension(oid, value as Buffer)),
    ),
  ],
  ...EXTENSIONS.flatMap(([oid, ...values]) => values.map(value => [extensionRequest(extension(oid, value))])),
];

export function requestSamples(): readonly RequestSample[] {
  const infos = SIGNERS.flatMap(signer =>
    NAMES.map(name => ({ signer, info: requestInfo(signer.key, name, [extensionRequest(SAN, USAGES, EXT_USAGES)]) })),
  );
  const asked = ATTRIBUTES.map((attributes, at) => {
    const signer = at % 4 === 0 ? P256 : ED25519;
    return { signer, info: requestInfo(signer.key, NAMES[at % NAMES.length] as Buffer, attributes) };
  });
  // Requests with different contents are more frequent than requests with different keys, which are slower to sign.
  return [...infos, ...asked, ...asked];
}

/** The DER of the request. */
export function signSample({ info, signer }: RequestSample): Buffer {
  return signRequest(info, signer);
}

/** One in thirty is mutated after signing. */
export function mutateRequest(sample: RequestSample, random: Random): Buffer {
  if (random.below(30) === 0) return mutate(signSample(sample), random, CONTENTS);
  return signSample({ ...sample, info: mutate(sample.info, random, CONTENTS) });
}
