// Kubernetes usages and their X.509 form, name by name.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  formatExtKeyUsages,
  formatKeyUsages,
  isKnownExtKeyUsage,
  resolveUsages,
} from '@countersign/common/key-usage.ts';

const KEY_USAGES: Readonly<Record<string, number>> = {
  signing: 0,
  'digital signature': 0,
  'content commitment': 1,
  'key encipherment': 2,
  'data encipherment': 3,
  'key agreement': 4,
  'cert sign': 5,
  'crl sign': 6,
  'encipher only': 7,
  'decipher only': 8,
};

const EXT_KEY_USAGES: Readonly<Record<string, string>> = {
  any: '2.5.29.37.0',
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  's/mime': '1.3.6.1.5.5.7.3.4',
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
};

describe('resolveUsages', () => {
  for (const [name, bit] of Object.entries(KEY_USAGES)) {
    it(`resolveUsages maps "${name}" to bit ${bit}`, () => {
      assert.deepEqual(resolveUsages([name]), { ok: true, value: { keyUsage: 1 << bit, extKeyUsages: [] } });
    });
  }

  for (const [name, oid] of Object.entries(EXT_KEY_USAGES)) {
    it(`resolveUsages maps "${name}" to ${oid}`, () => {
      assert.deepEqual(resolveUsages([name]), { ok: true, value: { keyUsage: 0, extKeyUsages: [oid] } });
      assert.equal(isKnownExtKeyUsage(oid), true);
    });
  }

  it('resolveUsages keeps order and duplicates of extended key usages', () => {
    const usages = resolveUsages(['s/mime', 'client auth', 'email protection']);
    const extKeyUsages = ['1.3.6.1.5.5.7.3.4', '1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.4'];
    assert.deepEqual(usages, { ok: true, value: { keyUsage: 0, extKeyUsages } });
  });

  for (const none of [undefined, []]) {
    it(`resolveUsages defaults ${JSON.stringify(none)} to digital signature and key encipherment`, () => {
      assert.deepEqual(resolveUsages(none), { ok: true, value: { keyUsage: 0b101, extKeyUsages: [] } });
    });
  }

  it('resolveUsages reports every unknown usage', () => {
    const usages = resolveUsages(['foo', 'server auth', 'toString', 'Signing']);
    assert.deepEqual(usages, { ok: false, error: 'unknown key usages: [foo toString Signing]' });
  });
});

describe('the usage names in messages', () => {
  it('the usage names in messages are those of cert-manager, in the order of the bits', () => {
    assert.equal(formatKeyUsages(0b000000101), "[ 'digital signature', 'key encipherment' ]");
    assert.equal(formatKeyUsages(0b100100000), "[ 'cert sign', 'decipher only' ]");
    assert.equal(formatKeyUsages(0), '[]');
  });

  it('the usage names in messages keep the order of extended key usages', () => {
    const oids = ['1.3.6.1.5.5.7.3.4', '2.5.29.37.0', '1.3.6.1.5.5.7.3.1'];
    assert.equal(formatExtKeyUsages(oids), "[ 'email protection', 'any', 'server auth' ]");
    assert.equal(formatExtKeyUsages([]), '[]');
  });

  it('the usage names in messages are "unknown" for the usages that Go knows and Kubernetes does not', () => {
    for (const oid of ['1.3.6.1.4.1.311.2.1.22', '1.3.6.1.4.1.311.61.1.1']) {
      assert.equal(isKnownExtKeyUsage(oid), true);
      assert.equal(formatExtKeyUsages([oid]), "[ 'unknown' ]");
    }
    assert.equal(isKnownExtKeyUsage('1.2.3.4'), false);
  });
});
