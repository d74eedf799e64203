// Name constraints are rewritten as cert-manager writes them: known kinds in a fixed order, and no others.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sequence, tlv } from '@countersign/common/x509/der.ts';
import { rewriteNameConstraints } from '@countersign/common/x509/name-constraints/name-constraints.ts';
import { GENERAL_NAME } from '@countersign/common/x509/subject-alt-name.ts';

const { dnsName, ipAddress, rfc822Name, uniformResourceIdentifier: uri, directoryName } = GENERAL_NAME;
const PERMITTED = 0xa0;
const EXCLUDED = 0xa1;

function subtree(tag: number, content: string | readonly number[], ...more: readonly Buffer[]): Buffer {
  return sequence(tlv(tag, typeof content === 'string' ? Buffer.from(content) : Buffer.from(content)), ...more);
}

const MAILBOXES = [
  '',
  'b.example',
  '.b.example',
  'a@b.example',
  "o'neil+x=1@b.example",
  'a.b@b',
  'a@',
  '"a b"@b.example',
  '"a\\"b..c"@b.example',
  'a\\@b@b.example',
  'a\\\t@b.example',
  '"a\\\tb\x01"@b.example',
  'a@b@c',
];

const LONG = 'a'.repeat(64);
const LONG_NAMES = [
  subtree(dnsName, `${LONG}.example`),
  subtree(dnsName, `.${`${LONG}.`.repeat(4)}example`),
  subtree(rfc822Name, LONG),
  subtree(uri, `${LONG}.example`),
  subtree(uri, 'fe80::1%eth0'),
];

const REWRITTEN: readonly (readonly [what: string, value: Buffer, expected: Buffer])[] = [
  [
    'puts DNS, IP, email and URI in this order and clears the host bits of the address',
    sequence(
      tlv(
        PERMITTED,
        subtree(uri, '.example.com'),
        subtree(rfc822Name, 'example.com'),
        subtree(ipAddress, [192, 0, 2, 7, 255, 255, 255, 0]),
        subtree(dnsName, 'b.example'),
        subtree(dnsName, 'a.example'),
      ),
    ),
    sequence(
      tlv(
        PERMITTED,
        subtree(dnsName, 'b.example'),
        subtree(dnsName, 'a.example'),
        subtree(ipAddress, [192, 0, 2, 0, 255, 255, 255, 0]),
        subtree(rfc822Name, 'example.com'),
        subtree(uri, '.example.com'),
      ),
    ),
  ],
  [
    'keeps excluded and permitted names apart',
    sequence(tlv(PERMITTED, subtree(dnsName, 'a.example')), tlv(EXCLUDED, subtree(dnsName, 'b.a.example'))),
    sequence(tlv(PERMITTED, subtree(dnsName, 'a.example')), tlv(EXCLUDED, subtree(dnsName, 'b.a.example'))),
  ],
  [
    'drops an empty list',
    sequence(tlv(PERMITTED), tlv(EXCLUDED, subtree(dnsName, ''))),
    sequence(tlv(EXCLUDED, subtree(dnsName, ''))),
  ],
  [
    'keeps whatever Go accepts as a mailbox, a host or all hosts',
    sequence(tlv(PERMITTED, ...MAILBOXES.map(text => subtree(rfc822Name, text)))),
    sequence(tlv(PERMITTED, ...MAILBOXES.map(text => subtree(rfc822Name, text)))),
  ],
  [
    'keeps names of any length, and the zone of an address, as Go does',
    sequence(tlv(PERMITTED, ...LONG_NAMES)),
    sequence(tlv(PERMITTED, ...LONG_NAMES)),
  ],
  [
    'drops minimum and maximum',
    sequence(tlv(PERMITTED, subtree(dnsName, 'a.example', tlv(0x80, Buffer.of(0))))),
    sequence(tlv(PERMITTED, subtree(dnsName, 'a.example'))),
  ],
];

for (const [what, value, expected] of REWRITTEN) {
  test(`rewriteNameConstraints ${what}`, () =>
    assert.deepEqual(rewriteNameConstraints(value), { ok: true, value: expected }));
}

const INVALID =
  'x509: invalid NameConstraints extension: list permitted names, then excluded names, each list at most once, in DER (RFC 5280 section 4.2.1.10)';
const NOT_AN_ADDRESS = (text: string) =>
  `x509: failed to parse URI constraint "${text}": cannot be IP address; use a host, or a domain with a leading period`;
const DIRECTORY = subtree(directoryName, [0x30, 0]);
const OTHER_KIND = 'x509: unsupported NameConstraints tag: 164; only DNS, IP, email and URI names can be constrained';
const REFUSED: readonly (readonly [what: string, value: Buffer, error: string])[] = [
  ['no sequence', tlv(0x31), INVALID],
  [
    'lists in the wrong order',
    sequence(tlv(EXCLUDED, subtree(dnsName, 'a')), tlv(PERMITTED, subtree(dnsName, 'b'))),
    INVALID,
  ],
  ['the same list twice', sequence(tlv(PERMITTED), tlv(PERMITTED, subtree(dnsName, 'b'))), INVALID],
  ['an empty subtree', sequence(tlv(PERMITTED, sequence())), INVALID],
  [
    'empty lists',
    sequence(tlv(PERMITTED), tlv(EXCLUDED)),
    'x509: empty name constraints extension: permit or exclude a name, or omit the extension',
  ],
  [
    'an address without mask',
    sequence(tlv(PERMITTED, subtree(ipAddress, [192, 0, 2, 7]))),
    'x509: IP constraint contained value of length 4: use an address and a mask, 8 octets for IPv4 or 32 for IPv6',
  ],
  [
    'a mask with a hole',
    sequence(tlv(PERMITTED, subtree(ipAddress, [192, 0, 2, 7, 255, 0, 255, 0]))),
    'x509: IP constraint contained invalid mask ff00ff00: use ones followed by zeros',
  ],
  ['another kind', sequence(tlv(PERMITTED, DIRECTORY)), OTHER_KIND],
  ['an unknown kind next to a known one', sequence(tlv(EXCLUDED, subtree(dnsName, 'a'), DIRECTORY)), OTHER_KIND],
  ['an address as a URI', sequence(tlv(PERMITTED, subtree(uri, '1.2.3.4'))), NOT_AN_ADDRESS('1.2.3.4')],
  ['an IPv6 address as a URI', sequence(tlv(EXCLUDED, subtree(uri, '::1'))), NOT_AN_ADDRESS('::1')],
];

for (const [what, value, error] of REFUSED) {
  test(`rewriteNameConstraints rejects ${what}`, () =>
    assert.deepEqual(rewriteNameConstraints(value), { ok: false, error }));
}

const DOMAIN = 'use a domain, with a leading period to match subdomains only';
const MAILBOX = 'use a mailbox, a host, or a domain with a leading period';
const HOST = 'use a host, or a domain with a leading period';
const TEXTS: readonly (readonly [kind: string, tag: number, wayOut: string, texts: readonly string[]])[] = [
  ['dnsName', dnsName, DOMAIN, ['.', 'a.', '..a', 'a..example', 'a b', 'é.example']],
  ['URI', uri, HOST, ['.', 'a.', 'a b', 'é']],
  [
    'rfc822Name',
    rfc822Name,
    MAILBOX,
    [
      '.',
      'a.',
      'a b',
      '@example.com',
      'a b@b.com',
      '(a)@b.com',
      'a..b@b.com',
      '.a@b.com',
      'a.@b.com',
      'a\\..b@b.com',
      'a@.b.com',
      'a@b.com.',
      'a@b c',
      'a\\@b.com',
      '"a@b.com',
      '"a"b@b.com',
      '"a"b"@b.com',
      'é@b.com',
    ],
  ],
];

for (const [kind, tag, wayOut, texts] of TEXTS) {
  for (const text of texts) {
    test(`rewriteNameConstraints rejects ${text} as a ${kind}`, () => {
      const value = sequence(tlv(PERMITTED, subtree(tag, text)));
      const shown = JSON.stringify(Buffer.from(text).toString('latin1'));
      const error = `x509: failed to parse ${kind} constraint ${shown}: ${wayOut}`;
      assert.deepEqual(rewriteNameConstraints(value), { ok: false, error });
    });
  }
}
