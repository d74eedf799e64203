// Mutates fields of valid PKCS#10 requests, signs them again, and compares the result with Go's parser, which the API
// server uses, and with what cert-manager reads. Accepted requests must be read identically, and rejections that are
// not in Go must be listed in docs/differences.md. The issued certificate must have the contents of the request.
// FUZZ_CASES and FUZZ_SEED change the number and choice of cases.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { isKnownExtKeyUsage } from '@countersign/common/key-usage.ts';
import { PERMISSIVE_POLICY } from '@countersign/common/request-policy.ts';
import { toRequestedCertificate } from '@countersign/common/validate-request.ts';
import { encodeBitString, sequence } from '@countersign/common/x509/der.ts';
import { parsePkcs10 } from '@countersign/common/x509/pkcs10.ts';
import { AS_CERT_MANAGER } from '@countersign/signer/issuance/issuance-policy.ts';
import { lintCertificate } from '@countersign/signer/issuance/lint.ts';
import { prepareCertificate } from '@countersign/signer/issuance/prepare.ts';
import { buildProfile } from '@countersign/signer/issuance/profile.ts';
import { report } from '../../support/faults/figures.ts';
import { readDifferences } from '../../support/fuzz/differences.ts';
import { askGoAbout } from '../../support/fuzz/go-parser.ts';
import { caseCount, fuzzSeed, Random, reproduction } from '../../support/fuzz/random.ts';
import { type Contents, csrFor, readContents } from '../../support/fuzz/request-contents.ts';
import { mutateRequest, requestSamples, signSample } from '../../support/fuzz/request-samples.ts';
import { encodeRequest } from '../../support/pkcs10-builder.ts';
import { readCaCertificates, readKey, valueOf } from '../../support/pki.ts';
import { NO_URLS, NOW, SERIAL } from '../../support/profiles.ts';

const signatureAlgorithm = valueOf(readKey('p256').signatureAlgorithm);
const [ca] = readCaCertificates('root');

interface Row {
  readonly der: Buffer;
  readonly here: ReturnType<typeof readContents>;
  readonly go: string;
}

async function compare(ders: readonly Buffer[]): Promise<readonly Row[]> {
  const answers = await askGoAbout('request', ders);
  return ders.map((der, at) => ({ der, here: readContents(der), go: answers[at] ?? '' }));
}

const isReadByGo = ({ go }: Row) => go.startsWith('ok ');
const contentsOf = (answer: string) => JSON.parse(answer.slice('ok '.length)) as Contents;
const show = ({ der, here, go }: Row) =>
  `${reproduction()} | ${here.ok ? JSON.stringify(here.value) : here.error} | ${go} | ${encodeRequest(der)}`;

function assertNone(rows: readonly Row[], what: string): void {
  assert.deepEqual(rows.slice(0, 3).map(show), [], `${rows.length} ${what}`);
}

/**
 * Returns the DER of the certificate for a CSR that matches the request, with an invalid signature. undefined if no CSR
 * can match.
 */
function issue(der: Buffer, contents: Contents): Buffer | undefined {
  const request = valueOf(parsePkcs10(encodeRequest(der)));
  const csr = csrFor(request, contents);
  if (csr === undefined) return undefined;
  const requested = toRequestedCertificate(csr, PERMISSIVE_POLICY);
  if (!requested.ok) assert.fail(`${reproduction()} ${csr.spec.request} ${JSON.stringify(requested.error)}`);
  const issuer = { subject: ca?.subject ?? assert.fail() };
  const policy = AS_CERT_MANAGER;
  const input = { requested: requested.value, issuer, urls: NO_URLS, now: NOW, serial: SERIAL, policy };
  const { tbs } = valueOf(lintCertificate(prepareCertificate(buildProfile(input), signatureAlgorithm)));
  return sequence(tbs, signatureAlgorithm.der, encodeBitString(Buffer.from('signature')));
}

/** Returns the expected contents of the certificate: known extended key usages first, as in cert-manager. */
function asIssued(contents: Contents, issued: Contents): Contents {
  const known = contents.extKeyUsages.filter(isKnownExtKeyUsage);
  if (contents.keyUsage === 0 && contents.extKeyUsages.length === 0) {
    const { keyUsage, extKeyUsages } = issued;
    return { ...contents, keyUsage, extKeyUsages };
  }
  return { ...contents, extKeyUsages: [...known, ...contents.unknownExtKeyUsages] };
}

describe('PKCS#10 requests', () => {
  it('with arbitrary changes are never read differently from Go and cert-manager', async t => {
    const random = new Random(fuzzSeed());
    const samples = requestSamples();
    const ders = Array.from({ length: caseCount(40_000) }, () => mutateRequest(random.pick(samples), random));
    const rows = await compare(ders);
    const both = rows.filter(row => row.here.ok && isReadByGo(row));
    const alone = rows.filter(row => !row.here.ok && isReadByGo(row));
    const refused = rows.filter(row => !row.here.ok && !isReadByGo(row));
    assertNone(
      rows.filter(row => row.here.ok && !isReadByGo(row)),
      'are accepted here but rejected by Go',
    );
    assertNone(
      both.filter(({ here, go }) => here.ok && !isDeepStrictEqual(here.value, contentsOf(go))),
      'are parsed differently by Go',
    );
    const differences = readDifferences();
    assertNone(
      alone.filter(({ here }) => !here.ok && !differences.some(({ matches }) => matches(here.error))),
      'are rejected only here, for a reason that is not in docs/differences.md',
    );
    assert.ok(both.length > rows.length / 10 && refused.length > rows.length / 10, 'too few useful cases');
    const figure = `${rows.length} requests: ${both.length} accepted by both, ${refused.length} by neither, ${alone.length} only by Go`;
    report(t, 'fuzzedRequests', figure, true);
  });

  it('get certificates in which Go reads the contents of the request', async t => {
    const random = new Random(fuzzSeed() + 1);
    const samples = requestSamples();
    const requests = Array.from({ length: caseCount(40_000) / 4 }, () => mutateRequest(random.pick(samples), random));
    const issued = requests.flatMap(der => {
      const here = readContents(der);
      const certificate = here.ok ? issue(der, here.value) : undefined;
      return here.ok && certificate ? [{ der, contents: here.value, certificate }] : [];
    });
    const answers = await askGoAbout(
      'issued',
      issued.map(({ certificate }) => certificate),
    );
    for (const [at, { der, contents }] of issued.entries()) {
      const answer = answers[at] ?? '';
      const message = `${reproduction()} ${answer} ${encodeRequest(der)}`;
      assert.match(answer, /^ok /, message);
      assert.deepEqual(contentsOf(answer), asIssued(contents, contentsOf(answer)), message);
    }
    const figure = `${issued.length} certificates for ${requests.length} requests`;
    report(t, 'fuzzedCertificates', figure, issued.length > requests.length / 10);
  });

  it('that are valid are accepted, with every extension and key type', async () => {
    const rows = await compare(requestSamples().map(signSample));
    const differences = readDifferences();
    assertNone(
      rows.filter(({ here }) => !here.ok && !differences.some(({ matches }) => matches(here.error))),
      'are rejected',
    );
    assertNone(
      rows.filter(row => !isReadByGo(row)),
      'are rejected by Go',
    );
  });
});
