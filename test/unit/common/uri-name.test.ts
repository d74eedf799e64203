// URIs as the API server parses them in a certificate; test/faults/fuzz compares many more with Go.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isUri } from '@countersign/common/x509/uri-name.ts';

const READ = [
  '',
  '*',
  'rel/path',
  '//a',
  '///a:b',
  'spiffe://example.com/ns/x',
  'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
  'mailto:a@b',
  'sip:jane@[2001:db8::1]',
  'https://[2001:db8::1]:8443/x',
  'http://[::ffff:192.0.2.1]',
  'http://[fe80::1%25eth0]/',
  'http://[fe80::1%25eth%25]/',
  'ldap://user:p%40ss@host:389/dc=example?cn?sub#part',
  'postgres://a:1,b:2/',
  'http://a_b~c!d/',
  'http://a?%zz',
  'file:///c:/x',
  'a:%zz',
];

const REFUSED = [
  ':',
  ':a',
  'a b:c',
  '1a:b',
  'http://a b',
  'http://a/\n',
  'http://a/\x7f',
  'http://a./',
  'http://.a',
  'http://a..b',
  'http://%41/',
  'http://a/%zz',
  'http://a#%zz',
  'http://u%zz@h/',
  'http://u"@h/',
  'http://a:x/',
  'http://a:1:2/',
  'http://a[::1]/',
  'http://[::1',
  'http://[::1]x/',
  'http://[192.0.2.1]/',
  'http://[fe80::1%eth0]/',
  'http://[fe80::1%25]/',
  'http://[fe80::1%25a%20b]/',
  'http://a|b/',
];

describe('isUri', () => {
  for (const text of READ) it(`accepts ${JSON.stringify(text)}`, () => assert.equal(isUri(text), true));
  for (const text of REFUSED) it(`rejects ${JSON.stringify(text)}`, () => assert.equal(isUri(text), false));
});
