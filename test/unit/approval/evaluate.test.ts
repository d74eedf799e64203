// What approval policies say about requests, case by case (test/vectors/approval/evaluate.yaml).

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { evaluateCase, readEvaluationCases, summarize } from '../../support/approval/evaluation-cases.ts';

describe('the evaluation of approval policies', () => {
  for (const written of readEvaluationCases()) {
    const { name, decision, mismatches = {} } = written;
    it(name, () => assert.deepEqual(summarize(evaluateCase(written)), { decision, mismatches }));
  }
});
