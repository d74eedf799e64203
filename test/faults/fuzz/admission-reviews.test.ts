// Mutates fields of real AdmissionReviews. Each review must get a response with its uid, or an error that says why it
// is malformed, with bounded length and in bounded time. No exception may escape. FUZZ_CASES and FUZZ_SEED change the
// number and choice of cases.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PERMISSIVE_POLICY } from '@countersign/common/request-policy.ts';
import { type AdmissionRequest, allow, decodeAdmissionReview, deny } from '@countersign/webhook/admission-review.ts';
import { admit, findScope, type Observation } from '@countersign/webhook/admit.ts';
import type { IssuerKnowledge } from '@countersign/webhook/issuer-view.ts';
import { warningsFor } from '@countersign/webhook/warnings.ts';
import { review } from '../../support/admission-reviews.ts';
import { report } from '../../support/faults/figures.ts';
import { mutateJson } from '../../support/fuzz/json-tree.ts';
import { caseCount, fuzzSeed, Random, reproduction } from '../../support/fuzz/random.ts';
import { readValidationCases } from '../../support/vectors.ts';

/** Maximum characters of one response: every rule broken at once, with user input in each message. */
const MAX_ANSWER = 20_000;
const MAX_ERROR = 1_000;

/** Far above the slowest case on a busy machine (46 ms), so that only a hang exceeds it. */
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
  const matter = findScope(request, PERMISSIVE_POLICY);
  const [issuer, permission] = [random.pick(ISSUERS), random.pick(PERMISSIONS)];
  const username = request.userInfo.username ?? '';
  const decision = admit(matter, { permission, issuer, constrained: [] }, { username, policy: PERMISSIVE_POLICY });
  if (!decision.allowed) return deny(request, decision);
  if (matter.kind !== 'validate' || matter.ref === undefined) return allow(request);
  const admitted = { csr: matter.csr, ref: matter.ref, requested: decision.requested, permission, issuer };
  return allow(request, warningsFor(admitted, { now: NOW }));
}

/** Processes one review. Exceptions are passed to the caller. */
function judge(body: unknown, random: Random): 'answered' | 'malformed' {
  const request = decodeAdmissionReview(body);
  const uid = (body as { request?: { uid?: unknown } } | null)?.request?.uid;
  if (!request.ok) {
    assert.ok(request.error.message.length <= MAX_ERROR, `an error of ${request.error.message.length} characters`);
    assert.ok(request.error.uid === undefined || request.error.uid === uid, 'the uid of another review');
    return 'malformed';
  }
  const { response } = answerTo(request.value, random);
  assert.equal(response.uid, uid);
  assert.equal(typeof response.allowed, 'boolean');
  const { length } = JSON.stringify(response);
  assert.ok(length <= MAX_ANSWER, `a response of ${length} characters`);
  return 'answered';
}

describe('AdmissionReviews', () => {
  it('with arbitrary changes each get a response of bounded length in bounded time', t => {
    const random = new Random(fuzzSeed());
    const samples = reviews();
    const counts = { answered: 0, malformed: 0 };
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
    const figure = `${counts.answered} answered, ${counts.malformed} malformed, slowest ${Math.ceil(slowest)} ms`;
    report(t, 'fuzzedReviews', figure, counts.answered > counts.malformed / 10);
  });
});
