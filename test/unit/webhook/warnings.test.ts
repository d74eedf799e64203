// Warnings for admitted CSRs, case by case.

import { describe, test } from 'node:test';
import { CERTIFICATE_CASES } from './certificate-cases.ts';
import { assertAdmission } from './judgement.ts';
import { MISMATCH_CASES, WAITING_CASES } from './warning-cases.ts';

describe('warnings about requests that have to wait', () => {
  for (const item of WAITING_CASES) test(item.name, () => assertAdmission(item));
});

describe('warnings about unexpected results', () => {
  for (const item of MISMATCH_CASES) test(item.name, () => assertAdmission(item));
});

describe('warnings about certificates that strict clients reject', () => {
  for (const item of CERTIFICATE_CASES) test(item.name, () => assertAdmission(item));
});
