// CA certificates to mutate, with everything that Go's parser reads: every extension, key type and version. Their
// signatures are invalid, because they are never verified.

import { createPublicKey } from 'node:crypto';
import {
  encodeBitString,
  encodeBoolean,
  encodeInteger,
  encodeOctetString,
  encodeOid,
  sequence,
  TAG,
  tlv,
} from '@countersign/common/x509/der.ts';
import { encodeExtension } from '@countersign/common/x509/extension.ts';
import { readPki } from '../pki.ts';

const oid = encodeOid;
const int = (...octets: number[]) => encodeInteger(Buffer.from(octets));
const text = (tag: number, value: string) => tlv(tag, Buffer.from(value, 'latin1'));
const uri = (value: string) => text(0x86, value);

/** Every extension whose value Go parses, with valid values. */
export const EXTENSIONS: readonly (readonly [id: string, ...values: Buffer[]])[] = [
  ['2.5.29.14', encodeOctetString(Buffer.from('identifier'))],
  [
    '2.5.29.15',
    ...['0106', '070680', '00060000', '0006800000', '0006000000000001'].map(hex =>
      tlv(TAG.bitString, Buffer.from(hex, 'hex')),
    ),
  ],
  [
    '2.5.29.17',
    sequence(
      text(0x82, 'ca.example'),
      text(0x81, 'ca@example.com'),
      tlv(0x87, Buffer.alloc(4, 10)),
      uri('spiffe://a.b/c'),
    ),
    sequence(tlv(0xa0, oid('1.2.3'), tlv(0xa0, text(0x0c, 'upn'))), tlv(0xa4, sequence()), text(0x88, '**')),
    ...['http://user:pw@host.example:80/p%20q?x=y#z', 'urn:a:b', 'ldap://h/CN=x', 'file:///a b'].map(each =>
      sequence(uri(each)),
    ),
  ],
  ['2.5.29.19', sequence(encodeBoolean(true)), sequence(encodeBoolean(true), int(3)), sequence(int(0)), sequence()],
  [
    '2.5.29.30',
    sequence(
      tlv(
        0xa0,
        ...[text(0x82, '.example.com'), tlv(0x87, Buffer.of(10, 0, 0, 0, 255, 0, 0, 0))].map(each => sequence(each)),
      ),
      tlv(
        0xa1,
        ...[text(0x81, '"a b"@x.example'), uri('.host.example'), tlv(0xa4, sequence())].map(each => sequence(each)),
      ),
    ),
    sequence(tlv(0xa0, sequence(text(0x81, 'jane.doe@example.com'), tlv(0x80, Buffer.of(0))))),
  ],
  [
    '2.5.29.31',
    sequence(
      sequence(tlv(0xa0, tlv(0xa0, uri('http://a/crl'), uri('http://b/crl')))),
      sequence(tlv(0xa2, tlv(0xa4, sequence()))),
      sequence(tlv(0xa0, tlv(0xa0, tlv(0xa4, sequence()))), tlv(0x81, Buffer.of(1, 2))),
    ),
  ],
  [
    '2.5.29.32',
    sequence(
      sequence(oid('2.5.29.32.0')),
      sequence(oid('1.2.3.4'), sequence(sequence(oid('1.3.6.1.5.5.7.2.1'), text(0x16, 'http://cps')))),
    ),
  ],
  ['2.5.29.33', sequence(sequence(oid('1.2.3'), oid('1.2.4')), sequence(oid('1.2.5'), oid('1.2.6')))],
  [
    '2.5.29.35',
    sequence(text(0x80, 'identifier')),
    sequence(),
    sequence(tlv(0xa1, tlv(0xa4, sequence())), text(0x82, '7')),
  ],
  ['2.5.29.36', sequence(tlv(0x80, Buffer.of(0)), tlv(0x81, Buffer.of(2))), sequence(tlv(0x81, Buffer.of(2)))],
  ['2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.1'), oid('2.5.29.37.0'), oid('1.2.3.4'))],
  ['2.5.29.54', int(0)],
  [
    '1.3.6.1.5.5.7.1.1',
    sequence(
      sequence(oid('1.3.6.1.5.5.7.48.1'), uri('http://ocsp')),
      sequence(oid('1.3.6.1.5.5.7.48.2'), tlv(0xa4, sequence())),
    ),
  ],
  ['1.2.3.4.5', Buffer.from('anything')],
];

/** Keys of every type that Go parses or ignores as unknown. */
function keys(): readonly Buffer[] {
  const files = ['rsa1024', 'rsa2048', 'rsa-pss', 'p224', 'p256', 'p384', 'p521', 'ed25519', 'ed448'];
  const dsa = tlv(TAG.sequence, int(7), int(5), int(3));
  return [
    ...files.map(file => createPublicKey(readPki(`keys/${file}`)).export({ format: 'der', type: 'spki' })),
    sequence(sequence(oid('1.3.101.110')), encodeBitString(Buffer.alloc(32, 9))),
    sequence(sequence(oid('1.2.840.10040.4.1'), dsa), encodeBitString(int(2))),
  ];
}

const STRING_TAGS = [0x0c, 0x12, 0x13, 0x14, 0x16, 0x1e];
const name = sequence(
  ...STRING_TAGS.map(tag => tlv(TAG.set, sequence(oid('2.5.4.3'), text(tag, '0123')))),
  tlv(TAG.set, sequence(oid('2.5.4.10'), text(0x0c, 'Org')), sequence(oid('2.5.4.11'), text(0x13, 'Unit *&'))),
);

const TIMES: readonly (readonly Buffer[])[] = [
  [text(0x17, '260101000000Z'), text(0x17, '460101000000Z')],
  [text(0x17, '500101000000Z'), text(0x18, '99991231235959Z')],
  [text(0x18, '20240229000000Z'), text(0x18, '20500101000000Z')],
];

const ALGORITHMS: readonly [Buffer, ...Buffer[]] = [
  sequence(oid('1.2.840.10045.4.3.2')),
  sequence(oid('1.2.840.113549.1.1.11'), tlv(TAG.null)),
  sequence(oid('1.2.840.113549.1.1.10'), sequence()),
];

interface Fields {
  readonly version?: Buffer;
  readonly spki: Buffer;
  readonly times?: readonly Buffer[];
  readonly algorithm?: Buffer;
  readonly behind?: readonly Buffer[];
}

function build(fields: Fields): Buffer {
  const { version = tlv(0xa0, int(2)), spki, times = TIMES[0] ?? [], algorithm = ALGORITHMS[0], behind = [] } = fields;
  const tbs = sequence(version, int(1, 2), algorithm, name, sequence(...times), name, spki, ...behind);
  return sequence(tbs, algorithm, encodeBitString(Buffer.from('signature')));
}

const row = (extensions: readonly (readonly [id: string, value: Buffer])[]) =>
  tlv(0xa3, sequence(...extensions.map(([id, value]) => encodeExtension({ oid: id, critical: false, value }))));

/** One certificate per value of each extension, one with all extensions, one per key, and unusual ones. */
export function certificateSamples(): readonly Buffer[] {
  const spkis = keys();
  const spki = spkis[4] as Buffer;
  const unique = [tlv(0x81, Buffer.of(0, 1)), tlv(0x82, Buffer.of(0, 2))];
  const all = row(EXTENSIONS.map(([id, value]) => [id, value as Buffer]));
  return [
    ...EXTENSIONS.flatMap(([id, ...values]) => values.map(value => build({ spki, behind: [row([[id, value]])] }))),
    ...spkis.map(each => build({ spki: each, behind: [row([['2.5.29.19', sequence(encodeBoolean(true))]])] })),
    ...TIMES.map(times => build({ spki, times, behind: [all] })),
    ...ALGORITHMS.map(algorithm => build({ spki, algorithm })),
    build({ spki, behind: [...unique, all] }),
    build({ spki, version: Buffer.alloc(0) }),
    build({ spki, version: tlv(0xa0, int(1)), behind: unique }),
  ];
}
