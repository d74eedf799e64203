// AdmissionReviews made of real ones by changing any field: each gets an answer with its uid, or the error that tells why it cannot be
// read, in a text of bounded length and in bounded time; no exception escapes. FUZZ_CASES and FUZZ_SEED ask for more or other cases
// than usual.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_DEMANDS } from '@countersign/common/request-policy.ts';
import { type AdmissionRequest, allow, decodeAdmissionReview, deny } from '@countersign/webhook/admission-review.ts';
import { admit, findMatter, type Observation } from '@countersign/webhook/admit.ts';
import type { IssuerKnowledge } from '@countersign/webhook/issuer-view.ts';
import { warningsFor } from '@countersign/webhook/warnings.ts';
import { review } from '../../support/admission-reviews.ts';
import { report } from '../../support/faults/figures.ts';
import { mutateJson } from '../../support/fuzz/json-tree.ts';
import { caseCount, fuzzSeed, Random, reproduction } from '../../support/fuzz/random.ts';
import { readValidationCases } from '../../support/vectors.ts';

/** Characters of all that is said in one answer: every rule broken at once, each text with what the requester wrote in it. */
const MAX_ANSWER = 20_000;
const MAX_ERROR = 1_000;

/** Far above what the slowest takes on a busy machine (46 ms): this is a hang, not noise. */
const MAX_MS = 2_000;

const ISSUERS: readonly IssuerKnowledge[] = [
  'missing',
  'unknown',
  { metadata: { name: 'ca', namespace: 'sandbox' }, spec: { ca: { secretName: 'ca' } } },
  { metadata: { name: 'ca' }, spec: { selfSigned: {} } },
  { metadata: { name: 'ca' }, spec: { vault: {} } },
];
const PERMISSIONS: readonly Observation['permission'][] = ['granted', 'missing', 'unneeded'];
const NOW = new Date('2026-11-24T12:00:00Z');

function reviews(): readonly object[] {
  return readValidationCases().flatMap(({ csr }, at) => {
    const before = { ...csr, metadata: { ...csr.metadata, annotations: {} } };
    const written = { ...csr, metadata: { ...csr.metadata, uid: 'uid', managedFields: [{ manager: 'kubectl' }] } };
    const update = { operation: 'UPDATE', object: written, oldObject: before, subResource: 'approval' };
    return [{ operation: 'CREATE', object: written, oldObject: null }, ...(at % 4 === 0 ? [update] : [])].map(review);
  });
}

function answerTo(request: AdmissionRequest, random: Random) {
  const matter = findMatter(request, NO_DEMANDS);
  const [issuer, permission] = [random.pick(ISSUERS), random.pick(PERMISSIONS)];
  const username = request.userInfo.username ?? '';
  const decision = admit(matter, { permission, issuer, constrained: [] }, { username, policy: NO_DEMANDS });
  if (!decision.allowed) return deny(request, decision);
  if (matter.kind !== 'validate' || matter.ref === undefined) return allow(request);
  const admitted = { csr: matter.csr, ref: matter.ref, requested: decision.requested, permission, issuer };
  return allow(request, warningsFor(admitted, { now: NOW }));
}

/** What is said to the review; throws what escapes. */
function judge(body: unknown, random: Random): 'answered' | 'not read' {
  const request = decodeAdmissionReview(body);
  const uid = (body as { request?: { uid?: unknown } } | null)?.request?.uid;
  if (!request.ok) {
    assert.ok(request.error.message.length <= MAX_ERROR, `an error of ${request.error.message.length} characters`);
    assert.ok(request.error.uid === undefined || request.error.uid === uid, 'the uid of another request');
    return 'not read';
  }
  const { response } = answerTo(request.value, random);
  assert.equal(response.uid, uid);
  assert.equal(typeof response.allowed, 'boolean');
  const { length } = JSON.stringify(response);
  assert.ok(length <= MAX_ANSWER, `an answer of ${length} characters`);
  return 'answered';
}

describe('AdmissionReviews', () => {
  it('each get an answer of bounded length in bounded time, whatever is wrong with them', t => {
    const random = new Random(fuzzSeed());
    const samples = reviews();
    const counts = { answered: 0, 'not read': 0 };
    let slowest = 0;
    for (let left = caseCount(30_000); left > 0; left--) {
      const text = JSON.stringify(mutateJson(random.pick(samples), random));
      const started = performance.now();
      try {
        counts[judge(JSON.parse(text), random)] += 1;
      } catch (cause) {
        throw new Error(`${reproduction()} ${text.slice(0, 5_000)}`, { cause });
      }
      const took = performance.now() - started;
      slowest = Math.max(slowest, took);
      assert.ok(took < MAX_MS, `${reproduction()} took ${took} ms: ${text.slice(0, 5_000)}`);
    }
    const figure = `${counts.answered} answered, ${counts['not read']} not read, the slowest in ${Math.ceil(slowest)} ms`;
    report(t, 'fuzzedReviews', figure, counts.answered > counts['not read'] / 10);
  });
});
