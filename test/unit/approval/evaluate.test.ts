// What approval policies say about requests, case by case (test/vectors/approval/evaluate.yaml).

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  compileAll,
  evaluateCase,
  evaluateCsr,
  readEvaluationCases,
  summarize,
} from '../../support/approval/evaluation-cases.ts';
import { writtenCsr } from '../../support/approval/written-request.ts';
import { cpuMs } from '../../support/cpu-time.ts';

describe('the evaluation of approval policies', () => {
  for (const written of readEvaluationCases()) {
    const { name, decision, mismatches = {} } = written;
    it(name, () => assert.deepEqual(summarize(evaluateCase(written)), { decision, mismatches }));
  }
});

describe('a request with very many names', () => {
  const csr = writtenCsr({ names: Array.from({ length: 2_000 }, () => 'dns:a') });
  const values = [...Array.from({ length: 255 }, (_, at) => `*${at}*`), '*a'];

  it('a request with very many names is allowed by no policy', () =>
    assert.deepEqual(summarize(evaluateCsr(compileAll({ any: { allowed: { dnsNames: { values: ['*'] } } } }), csr)), {
      decision: 'wait mismatch',
      mismatches: { any: ['constraint spec 2000 names'] },
    }));

  it('a request with very many names takes no longer than others with many policies', () => {
    const policies = Object.fromEntries(
      Array.from({ length: 100 }, (_, at) => [`policy-${at}`, { allowed: { dnsNames: { values } } }] as const),
    );
    const compiled = compileAll(policies);
    const start = cpuMs();
    evaluateCsr(compiled, csr);
    assert.ok(cpuMs() - start < 1_000);
  });
});
