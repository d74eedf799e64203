// What a requester is told although the CSR is admitted, case by case.

import { describe, test } from 'node:test';
import { CERTIFICATE_CASES } from './certificate-cases.ts';
import { assertJudgement } from './judgement.ts';
import { SURPRISE_CASES, WAITING_CASES } from './warning-cases.ts';

describe('a CSR that has to wait is admitted with a warning for', () => {
  for (const item of WAITING_CASES) test(item.name, () => assertJudgement(item));
});

describe('a CSR is admitted with a warning for', () => {
  for (const item of SURPRISE_CASES) test(item.name, () => assertJudgement(item));
});

describe('a CSR is admitted with a warning that strict clients reject', () => {
  for (const item of CERTIFICATE_CASES) test(item.name, () => assertJudgement(item));
});
