// Generates similar name constraints and names from a small alphabet, so that about half of the names match, including
// unusual forms that verifiers interpret differently.

import { encodeOid, sequence, TAG, tlv } from '@countersign/common/x509/der.ts';
import { GENERAL_NAME } from '@countersign/common/x509/subject-alt-name.ts';
import type { Random } from './random.ts';

const {
  dnsName,
  rfc822Name,
  uniformResourceIdentifier: uri,
  ipAddress,
  directoryName,
  otherName,
  registeredId,
} = GENERAL_NAME;

/** Names that Go and OpenSSL compare are generated more often. */
const KINDS = [
  dnsName,
  dnsName,
  dnsName,
  rfc822Name,
  rfc822Name,
  uri,
  uri,
  ipAddress,
  ipAddress,
  directoryName,
  directoryName,
];
const RARE_KINDS = [otherName, registeredId];

const LABELS = ['a', 'a', 'b', 'a-b', 'A', 'www', 'x_y', '1'];
const TOPS = ['example', 'Example', 'test', 'a'];
const LOCALS = ['jane', 'Jane', 'j.d', '"jane"', '"a@b"', 'j\\ane'];
const PATHS = ['', '/', '/path', '/a:b', '/@a.example', '?q', '#f', ':80', ':80/x', '/x?u=//b.test'];
const ODD_DNS = [
  '*',
  '*.a.example',
  '*a.example',
  'a..example',
  'a.example.',
  '.a.example',
  'a example',
  '',
  'example',
  '*.example',
];
const ODD_URIS = [
  'urn:uuid:1',
  '//a.example/x',
  'https:///x',
  'https://1.2.3.4/',
  'https://[::1]/',
  'https://:80/',
  'mailto:a@a.example',
];
const ODD_MAILBOXES = [
  'jane',
  'jane@',
  'a..b@a.example',
  'a b@a.example',
  '@a.example',
  'jane@a.example@b.test',
  'jane@*.a.example',
];

function domain(random: Random): string {
  const labels = Array.from({ length: random.below(3) }, () => random.pick(LABELS));
  return [...labels, random.pick(TOPS)].join('.');
}

/** Returns the value of a nameConstraints extension with 1 to 6 subtrees. */
export function sampleConstraints(random: Random): Buffer {
  const [permitted, excluded] = [random.below(5), random.below(3)];
  const lists = [
    [0xa0, permitted + (permitted + excluded === 0 ? 1 : 0)],
    [0xa1, excluded],
  ] as const;
  const filled = lists.filter(([, count]) => count > 0);
  return sequence(
    ...filled.map(([tag, count]) => tlv(tag, ...Array.from({ length: count }, () => sampleSubtree(random)))),
  );
}

function sampleSubtree(random: Random): Buffer {
  const tag = random.pick(random.below(20) === 0 ? RARE_KINDS : KINDS);
  const distance = random.below(60) === 0 ? [tlv(random.pick([0x80, 0x81]), Buffer.of(random.below(2)))] : [];
  return sequence(tlv(tag, constraintOf(tag, random)), ...distance);
}

function constraintOf(tag: number, random: Random): Buffer {
  const base = random.pick(['', '', '.', '.']) + domain(random);
  switch (tag) {
    case dnsName:
    case uri:
      return Buffer.from(random.below(15) === 0 ? '' : base);
    case rfc822Name:
      return Buffer.from(
        random.pick([base, base, `${random.pick(LOCALS)}@${domain(random)}`, random.pick(['', base])]),
      );
    case ipAddress:
      return sampleNetwork(random);
    default:
      return valueOf(tag, random);
  }
}

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

function sampleAddress(random: Random): readonly number[] {
  const v4 = [random.pick([10, 10, 11]), random.below(3), random.below(2), random.below(256)];
  return random.pick([
    v4,
    v4,
    [...MAPPED, ...v4],
    [0x20, 1, 0x0d, 0xb8, random.below(2), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, random.below(3)],
  ]);
}

/** Usually with host bits, which verifiers mask. */
function sampleNetwork(random: Random): Buffer {
  const address = sampleAddress(random);
  const bits = random.pick(
    [0, 7, 8, 9, 16, 24, 32, 40, 80, 96, 104, 112, 128].filter(length => length <= address.length * 8),
  );
  const mask = address.map((_, at) => (0xff00 >> Math.min(Math.max(bits - at * 8, 0), 8)) & 0xff);
  const isAligned = random.below(2) === 0;
  return Buffer.from([...address.map((octet, at) => (isAligned ? octet & (mask[at] ?? 0) : octet)), ...mask]);
}

/** The Name of a CA with nothing else in it. */
const CN_SUB = ['2.5.4.3', 0x0c, 'sub'] as const;

const RDNS = [
  ['2.5.4.10', 0x0c, 'Example'],
  ['2.5.4.10', 0x13, 'EXAMPLE'],
  ['2.5.4.10', 0x0c, ' Example  '],
  ['2.5.4.10', 0x1e, 'Example'],
  ['2.5.4.10', 0x14, 'Ex\u00e4mple'],
  ['2.5.4.10', 0x0c, 'Ex\u00e4mple'],
  ['2.5.4.11', 0x13, 'a b'],
  ['2.5.4.11', 0x0c, 'A  b'],
  ['2.5.4.5', 0x12, '1 2'],
  CN_SUB,
] as const;

function attribute([oid, tag, text]: readonly [oid: string, tag: number, text: string]): Buffer {
  const value = Buffer.from(text, tag === 0x1e ? 'utf16le' : tag === 0x0c ? 'utf8' : 'latin1');
  return sequence(encodeOid(oid), tlv(tag, tag === 0x1e ? value.swap16() : value));
}

function sampleRdn(random: Random): Buffer {
  const one = attribute(random.pick(RDNS));
  const two = attribute(['2.5.4.7', 0x0c, random.pick(['x', 'X'])]);
  return tlv(TAG.set, ...(random.below(6) === 0 ? [one, two].toSorted((a, b) => a.compare(b)) : [one]));
}

function sampleName(random: Random, ...more: readonly Buffer[]): Buffer {
  return sequence(...Array.from({ length: random.below(3) }, () => sampleRdn(random)), ...more);
}

/**
 * Returns a Name with common names and email addresses that verifiers may treat as other names; never the Name of a CA.
 */
export function sampleSubject(random: Random): Buffer {
  const commonNames = [
    'Jane Doe',
    domain(random),
    domain(random),
    `*.${domain(random)}`,
    'a-.example',
    'a.example\0',
    'a\0.example',
  ];
  const more: Buffer[] = [];
  if (random.below(3) === 0)
    more.push(attribute(['2.5.4.3', random.pick([0x0c, 0x14, 0x1e]), random.pick(commonNames)]));
  if (random.below(5) === 0) {
    const mailbox = random.pick([`jane@${domain(random)}`, 'jane']);
    more.push(attribute(['1.2.840.113549.1.9.1', random.pick([0x16, 0x16, 0x16, 0x0c]), mailbox]));
  }
  const name = sampleName(random, ...more.map(rdn => tlv(TAG.set, rdn)));
  return name.equals(sequence(tlv(TAG.set, attribute(CN_SUB)))) ? sequence() : name;
}

/** Returns the value of a subjectAltName with 1 to 3 names. */
export function sampleAltNames(random: Random): Buffer {
  const names = Array.from({ length: 1 + random.below(3) }, () => {
    const tag = random.pick(random.below(20) === 0 ? RARE_KINDS : KINDS);
    return tlv(tag, valueOf(tag, random));
  });
  return sequence(...names);
}

function valueOf(tag: number, random: Random): Buffer {
  const isOdd = random.below(8) === 0;
  switch (tag) {
    case dnsName:
      return Buffer.from(isOdd ? random.pick(ODD_DNS) : domain(random));
    case rfc822Name:
      return Buffer.from(isOdd ? random.pick(ODD_MAILBOXES) : `${random.pick(LOCALS)}@${domain(random)}`);
    case uri:
      return Buffer.from(
        isOdd
          ? random.pick(ODD_URIS)
          : `https://${random.pick(['', '', 'u@', 'u:p@'])}${domain(random)}${random.pick(PATHS)}`,
      );
    case ipAddress:
      return Buffer.from(sampleAddress(random));
    case directoryName:
      return sampleName(random);
    case otherName:
      return Buffer.concat([encodeOid(random.pick(['1.2.3', '1.2.4'])), tlv(0xa0, tlv(0x0c, Buffer.from('a')))]);
    default:
      return encodeOid('1.2.3').subarray(2);
  }
}
