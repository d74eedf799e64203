// Mutates fields of valid private keys. Every key that is accepted here must also be accepted by Go's parsers, which
// cert-manager uses, and its signatures must verify with its public key. FUZZ_CASES and FUZZ_SEED change the number and
// choice of cases.

import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { describe, it } from 'node:test';
import { ok } from '@countersign/common/result.ts';
import { formatPem, parsePem } from '@countersign/common/x509/pem.ts';
import { loadSigningKey, parseSigningKey } from '@countersign/signer/authority/signing-key.ts';
import { report } from '../../support/faults/figures.ts';
import { CONTENTS } from '../../support/fuzz/contents.ts';
import { mutate } from '../../support/fuzz/der-tree.ts';
import { compareWithGo, type ParseCase, type Reading } from '../../support/fuzz/go-parser.ts';
import { caseCount, fuzzSeed, Random } from '../../support/fuzz/random.ts';
import { readPki, valueOf } from '../../support/pki.ts';

const FILES = [
  'rsa2048',
  'rsa2048-pkcs1',
  'rsa1024',
  'p224',
  'p256',
  'p384',
  'p384-sec1',
  'p521',
  'p256-compressed',
  'ed25519',
];

function samples(): readonly ParseCase[] {
  return FILES.flatMap(file => valueOf(parsePem(readPki(`keys/${file}`))));
}

function makeCases(count: number): readonly ParseCase[] {
  const random = new Random(fuzzSeed());
  const good = samples();
  return Array.from({ length: count }, () => {
    const { label, der } = random.pick(good);
    return { label, der: mutate(der, random, CONTENTS) };
  });
}

const toPem = ({ label, der }: ParseCase) => formatPem(label, der);

function read(each: ParseCase): Reading {
  const key = parseSigningKey(toPem(each));
  return key.ok ? ok('') : key;
}

describe('private keys', () => {
  it('that Go rejects are rejected', async t => {
    const cases = makeCases(caseCount(30_000));
    const readings = cases.map(read);
    const { bothRead, bothRefuse, refusedHere, refusedByGo } = await compareWithGo(cases, readings);
    const figure = `${cases.length} keys: ${bothRead} accepted by both, ${bothRefuse} by neither, ${refusedHere.length} only by Go`;
    assert.deepEqual(refusedByGo.slice(0, 5), [], `${refusedByGo.length} are accepted here but rejected by Go`);
    report(t, 'fuzzedKeys', figure, bothRead > cases.length / 50);
  });

  it('that are accepted create signatures that verify with their public key', async t => {
    let loaded = 0;
    for (const each of makeCases(caseCount(30_000) / 5)) {
      const key = await loadSigningKey(toPem(each));
      if (!key.ok || !key.value.signatureAlgorithm.ok) continue;
      const data = Buffer.from('data');
      const signature = await key.value.sign(data);
      assert.ok(verify(key.value.signatureAlgorithm.value.digest, data, key.value.publicKey, signature), toPem(each));
      loaded += 1;
    }
    t.diagnostic(`${loaded} keys are accepted`);
  });

  it('that are valid are accepted', async () => {
    const cases = samples();
    const readings = cases.map(read);
    const { refusedHere, refusedByGo } = await compareWithGo(cases, readings);
    assert.deepEqual([refusedHere, refusedByGo], [[], []]);
  });
});
