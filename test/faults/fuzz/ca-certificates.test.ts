// Mutates fields of valid CA certificates. Every certificate that is accepted here must also be accepted by Go's
// parser, which the API server uses. FUZZ_CASES and FUZZ_SEED change the number and choice of cases.

import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ok } from '@countersign/common/result.ts';
import { formatPem, parsePem } from '@countersign/common/x509/pem.ts';
import { type CaCertificate, parseCertificates } from '@countersign/signer/authority/ca-certificate.ts';
import { report } from '../../support/faults/figures.ts';
import { certificateSamples } from '../../support/fuzz/certificate-samples.ts';
import { CONTENTS } from '../../support/fuzz/contents.ts';
import { mutate } from '../../support/fuzz/der-tree.ts';
import { compareWithGo, type Reading } from '../../support/fuzz/go-parser.ts';
import { caseCount, fuzzSeed, Random } from '../../support/fuzz/random.ts';
import { valueOf } from '../../support/pki.ts';

/** From Debian's ca-certificates package. */
const PUBLIC_ROOTS = '/etc/ssl/certs/ca-certificates.crt';

/** Formatted as in certcheck. */
function read(der: Buffer): Reading {
  const parsed = parseCertificates(formatPem('CERTIFICATE', der));
  if (!parsed.ok) return parsed;
  const [{ issuer, subject, spki, ...certificate }] = parsed.value as readonly [CaCertificate];
  const names = hash('sha256', Buffer.concat([issuer, subject, spki]), 'hex');
  const ski = certificate.subjectKeyIdentifier?.toString('hex') ?? '';
  const [from, to] = [certificate.notBefore, certificate.notAfter].map(time => time.getTime() / 1000);
  return ok(`ca=${certificate.isCa} ski=${ski} from=${from} to=${to} names=${names}`);
}

function compare(ders: readonly Buffer[]) {
  const readings = ders.map(read);
  return compareWithGo(
    ders.map(der => ({ label: 'CERTIFICATE', der })),
    readings,
  );
}

describe('CA certificates', () => {
  it('that Go rejects or parses differently are rejected', async t => {
    const random = new Random(fuzzSeed());
    const samples = certificateSamples();
    const ders = Array.from({ length: caseCount(60_000) }, () => mutate(random.pick(samples), random, CONTENTS));
    const { bothRead, bothRefuse, readOtherwise, refusedHere, refusedByGo } = await compare(ders);
    const figure = `${ders.length} certificates: ${bothRead} accepted by both, ${bothRefuse} by neither, ${refusedHere.length} only by Go`;
    assert.deepEqual(refusedByGo.slice(0, 5), [], `${refusedByGo.length} are accepted here but rejected by Go`);
    assert.deepEqual(readOtherwise.slice(0, 5), [], `${readOtherwise.length} are parsed differently by Go`);
    assert.ok(bothRead > ders.length / 10 && bothRefuse > ders.length / 10, 'too few useful cases');
    report(t, 'fuzzedCas', figure, true);
  });

  it('with every extension, key type and time format that Go supports are accepted', async () => {
    const { refusedHere, refusedByGo } = await compare(certificateSamples());
    assert.deepEqual([refusedHere, refusedByGo], [[], []]);
  });

  it('of public CAs are accepted', { skip: !existsSync(PUBLIC_ROOTS) }, async t => {
    const blocks = valueOf(parsePem(readFileSync(PUBLIC_ROOTS, 'utf8')));
    const { bothRead, refusedHere } = await compare(blocks.map(({ der }) => der));
    t.diagnostic(`${bothRead} roots are accepted`);
    assert.deepEqual(refusedHere, []);
  });
});
