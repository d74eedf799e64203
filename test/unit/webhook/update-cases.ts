// UPDATE requests. Used by admit.test.ts.

import {
  REQUEST_DURATION as DURATION,
  REQUEST_IS_CA as IS_CA,
  PRIVATE_KEY_SECRET_NAME as KEY_SECRET,
} from '@countersign/common/annotations.ts';
import { locked } from '../../support/admission-answers.ts';
import { SELF } from '../../support/admission-reviews.ts';
import type { CsrOrder } from '../../support/csr-builder.ts';
import type { UnitCase } from './judgement.ts';

const APPROVED_LEAF: CsrOrder = { conditions: ['Approved'] };
const APPROVED_CA: CsrOrder = { ...APPROVED_LEAF, annotations: { [IS_CA]: 'true' } };

const CHANGES: readonly (readonly [what: string, before: CsrOrder['annotations'], after: CsrOrder['annotations']])[] = [
  ['be added', {}, { [DURATION]: '1h' }],
  ['be added with an empty value', {}, { [DURATION]: '' }],
  ['be removed if it is empty', { [DURATION]: '' }, {}],
  ['change to a value that would be admitted', { [DURATION]: '1h' }, { [DURATION]: '2h' }],
  ['change to a value that would be denied', { [DURATION]: '1h' }, { [DURATION]: 'foo' }],
  ['change from a value that would be denied', { [DURATION]: 'foo' }, { [DURATION]: '1h' }],
];

export const UPDATE_CASES: readonly UnitCase[] = [
  {
    name: 'an update that changes only the conditions is allowed',
    update: { before: {}, after: APPROVED_LEAF },
    allowed: true,
  },
  {
    name: 'another annotation of an approved CSR may change',
    update: {
      before: APPROVED_LEAF,
      after: { ...APPROVED_LEAF, annotations: { 'experimental.cert-manager.io/ca': 'x' } },
    },
    allowed: true,
  },
  {
    name: 'a locked annotation of an approved CSR cannot change',
    update: { before: APPROVED_LEAF, after: APPROVED_CA },
    ...locked(IS_CA),
  },
  {
    name: 'a locked annotation of an approved CSR cannot change through /status',
    update: { before: APPROVED_LEAF, after: APPROVED_CA, subResource: 'status' },
    ...locked(IS_CA),
  },
  {
    name: 'a locked annotation cannot change together with the approval',
    update: { before: {}, after: APPROVED_CA, subResource: 'approval' },
    ...locked(IS_CA),
  },
  {
    name: 'a locked annotation of an approved CSR cannot change in an update that drops the Approved condition',
    update: { before: APPROVED_LEAF, after: { annotations: { [IS_CA]: 'true' } } },
    ...locked(IS_CA),
  },
  {
    name: 'a locked annotation cannot be removed after the approval',
    update: { before: { ...APPROVED_LEAF, annotations: { [DURATION]: '1h' } }, after: APPROVED_LEAF },
    ...locked(DURATION),
  },
  ...CHANGES.map(([what, before = {}, after = {}]) => ({
    name: `a locked annotation of a pending CSR cannot ${what}`,
    update: { before: { annotations: before }, after: { annotations: after } },
    ...locked(DURATION),
  })),
  {
    name: 'the Secret name of a pending CSR cannot change, and the answer mentions neither issuer nor Secret',
    update: { before: { signerName: SELF }, after: { signerName: SELF, annotations: { [KEY_SECRET]: 'my-key' } } },
    ...locked(KEY_SECRET),
  },
  {
    name: 'a locked annotation of a pending CSR with a malformed signer name cannot change',
    update: {
      before: { signerName: 'issuers.cert-manager.io/x' },
      after: { signerName: 'issuers.cert-manager.io/x', annotations: { [IS_CA]: 'true' } },
    },
    ...locked(IS_CA),
  },
  {
    name: "a locked annotation of another signer's approved CSR may change",
    update: {
      before: { ...APPROVED_LEAF, signerName: 'example.com/x' },
      after: { ...APPROVED_CA, signerName: 'example.com/x' },
    },
    allowed: true,
  },
];
