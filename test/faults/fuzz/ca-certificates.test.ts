// CA certificates made of good ones by changing any field: whatever is read here, Go's parser, which is the API server's, reads
// as well. FUZZ_CASES sets how many are tried.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatPem } from '@countersign/common/pem.ts';
import { parseCertificates } from '@countersign/signer/issuance/ca-certificate.ts';
import { certificateSamples } from '../../support/fuzz/certificate-samples.ts';
import { CONTENTS } from '../../support/fuzz/contents.ts';
import { mutate } from '../../support/fuzz/der-tree.ts';
import { compareWithGo } from '../../support/fuzz/go-parser.ts';
import { caseCount, Random } from '../../support/fuzz/random.ts';
import { errorOf } from '../../support/pki.ts';

const SEED = 20261130;

function compare(ders: readonly Buffer[]) {
  const errors = ders.map(der => errorOf(parseCertificates(formatPem('CERTIFICATE', der))));
  return compareWithGo(
    ders.map(der => ({ label: 'CERTIFICATE', der })),
    errors,
  );
}

describe('CA certificates', () => {
  it('that Go refuses are never read, whichever field is wrong', async t => {
    const random = new Random(SEED);
    const samples = certificateSamples();
    const ders = Array.from({ length: caseCount(60_000) }, () => mutate(random.pick(samples), random, CONTENTS));
    const { bothRead, bothRefuse, refusedHere, refusedByGo } = await compare(ders);
    t.diagnostic(
      `${ders.length} cases: ${bothRead} read by both, ${bothRefuse} by none, ${refusedHere.length} by Go alone`,
    );
    assert.deepEqual(refusedByGo.slice(0, 5), [], `${refusedByGo.length} are read here and refused by Go`);
    assert.ok(bothRead > ders.length / 10 && bothRefuse > ders.length / 10, 'the cases say nothing');
  });

  it('that are whole are read, with every extension, key and form of time that Go reads', async () => {
    const { refusedHere, refusedByGo } = await compare(certificateSamples());
    assert.deepEqual([refusedHere, refusedByGo], [[], []]);
  });
});
