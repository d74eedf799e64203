// The warnings about what the remote of an issuer leaves out.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { IssuerType } from '@countersign/common/issuers/issuer-types.ts';
import { PERMISSIVE_POLICY } from '@countersign/common/request-policy.ts';
import { toRequestedCertificate } from '@countersign/common/validate-request.ts';
import { droppedWarnings } from '@countersign/webhook/dropped-warnings.ts';
import { type WrittenRequest, writtenCsr } from '../../support/approval/written-request.ts';
import { valueOf } from '../../support/pki.ts';

const warningsOf = (type: IssuerType, written: WrittenRequest) => {
  const csr = writtenCsr(written);
  return droppedWarnings(csr, valueOf(toRequestedCertificate(csr, PERMISSIVE_POLICY)), type);
};

const USUAL = ['digital signature', 'key encipherment', 'server auth'];
const WEB: WrittenRequest = { names: ['dns:a.example'], usages: USUAL };

const CASES: readonly (readonly [name: string, IssuerType, WrittenRequest, readonly RegExp[]])[] = [
  ['a usual request loses nothing at ACME', 'acme', WEB, []],
  ['a usual request loses nothing at Vault', 'vault', WEB, []],
  [
    'names that are neither DNS names nor addresses are lost at ACME',
    'acme',
    { ...WEB, subject: ['O=team'], names: ['dns:a.example', 'uri:spiffe://x/y', 'email:a@b.example'] },
    [/will not have team, spiffe:\/\/x\/y, a@b\.example$/],
  ],
  ['they are not lost at Vault', 'vault', { ...WEB, names: ['uri:spiffe://x/y'] }, []],
  [
    'unusual usages are left to the ACME server',
    'acme',
    { ...WEB, usages: [...USUAL, 'code signing'] },
    [/^the ACME server decides the usages of the certificate, which may not have code signing$/],
  ],
  [
    'unusual usages are left to the role at Vault',
    'vault',
    { ...WEB, usages: ['code signing', 'email protection'] },
    [/^the role of the Vault issuer decides .* may not have code signing, email protection$/],
  ],
  [
    'a requested duration is left to the ACME server',
    'acme',
    { ...WEB, duration: '24h' },
    [/^the ACME server decides the lifetime/],
  ],
  ['a requested duration is kept at Vault', 'vault', { ...WEB, duration: '24h' }, []],
  ['no CA comes from ACME', 'acme', { ...WEB, isCA: true }, [/^ACME servers issue no CA certificates$/]],
  [
    'a CA issuer leaves out nothing',
    'ca',
    { ...WEB, names: ['uri:spiffe://x/y'], usages: ['code signing'], isCA: true },
    [],
  ],
];

describe('the warnings about what is left out', () => {
  for (const [name, type, written, expected] of CASES) {
    it(name, () => {
      const warnings = warningsOf(type, written);
      assert.equal(warnings.length, expected.length, warnings.join('\n'));
      for (const [at, pattern] of expected.entries()) assert.match(warnings[at] ?? '', pattern);
    });
  }
});
