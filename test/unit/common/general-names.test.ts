// The names of certificates that are not made from a request of their own.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readWhole } from '@countersign/common/x509/der.ts';
import { checkName } from '@countersign/common/x509/distinguished-name.ts';
import { encodeGeneralNames, encodeSubject, type GeneralName } from '@countersign/common/x509/general-names.ts';
import { GENERAL_NAME, readGeneralNames } from '@countersign/common/x509/subject-alt-name.ts';
import * as fc from 'fast-check';
import { valueOf } from '../../support/pki.ts';

describe('encodeGeneralNames', () => {
  it('a URI and a DNS name are written in DER', () => {
    const names = [
      { kind: 'uri', text: 'spiffe://td/ns/a/sa/b' },
      { kind: 'dns', text: 'a.example' },
    ] as const;
    const expected = '30228615737069666665 3a2f2f74642f6e732f612f73612f62 8209612e6578616d706c65';
    assert.equal(encodeGeneralNames(names).toString('hex'), expected.replaceAll(' ', ''));
  });

  it('names that are written are read as the same names in the same order', () => {
    const dns = fc.stringMatching(/^([a-z0-9]{1,9}\.){0,4}[a-z]{1,9}$/).map(text => ({ kind: 'dns', text }) as const);
    const uri = fc
      .stringMatching(/^[a-z0-9/._-]{0,200}$/)
      .map(path => ({ kind: 'uri', text: `spiffe://td/${path}` }) as const);
    fc.assert(
      fc.property(fc.array(fc.oneof(dns, uri), { minLength: 1, maxLength: 65 }), (names: readonly GeneralName[]) => {
        const read = valueOf(readGeneralNames(encodeGeneralNames(names)));
        const kinds = { [GENERAL_NAME.dnsName]: 'dns', [GENERAL_NAME.uniformResourceIdentifier]: 'uri' } as const;
        assert.deepEqual(
          read.map(({ tag, value }) => ({ kind: kinds[tag as keyof typeof kinds], text: value.toString() })),
          names,
        );
      }),
    );
  });
});

describe('encodeSubject', () => {
  it('a subject without a common name is an empty Name', () =>
    assert.equal(encodeSubject(undefined).toString('hex'), '3000'));

  it('a subject has the common name as its only attribute, as a UTF8String', () => {
    const subject = encodeSubject('a.example');
    assert.equal(subject.toString('hex'), '301431123010060355040 30c09612e6578616d706c65'.replace(' ', ''));
    assert.ok(checkName(valueOf(readWhole(subject))).ok);
  });
});
