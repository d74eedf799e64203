// Changes of requests. Read by admissions.test.ts.

import {
  REQUEST_DURATION as DURATION,
  REQUEST_IS_CA as IS_CA,
  PRIVATE_KEY_SECRET_NAME as KEY_SECRET,
} from '@countersign/common/annotations.ts';
import { APPROVED_CA, APPROVED_LEAF, type Case, DURATION_FIELD, locked, SELF, secret } from './admission-world.ts';

type Annotations = Readonly<Record<string, string>>;

export const UPDATE_CASES: readonly Case[] = [
  { name: 'nothing of the request', update: { before: {}, after: { isApproved: true } }, allowed: true, calls: [] },
  {
    name: 'another annotation of an approved request',
    update: {
      before: APPROVED_LEAF,
      after: { isApproved: true, annotations: { 'experimental.cert-manager.io/ca': 'x' } },
    },
    allowed: true,
    calls: [],
  },
  {
    name: 'a locked annotation of an approved request',
    update: { before: APPROVED_LEAF, after: APPROVED_CA },
    allowed: locked(IS_CA),
    causes: [`ImmutableAnnotation metadata.annotations[${IS_CA}]`],
    calls: [],
  },
  {
    name: 'a locked annotation of an approved request by way of /status',
    update: { before: APPROVED_LEAF, after: APPROVED_CA, subResource: 'status' },
    allowed: locked(IS_CA),
    causes: [`ImmutableAnnotation metadata.annotations[${IS_CA}]`],
    calls: [],
  },
  {
    name: 'a locked annotation together with the approval',
    update: { before: {}, after: APPROVED_CA, subResource: 'approval' },
    allowed: locked(IS_CA),
    causes: [`ImmutableAnnotation metadata.annotations[${IS_CA}]`],
    calls: [],
  },
  {
    name: 'a locked annotation of an approved request that no longer says it is approved',
    update: { before: APPROVED_LEAF, after: { annotations: { [IS_CA]: 'true' } } },
    allowed: locked(IS_CA),
    causes: [`ImmutableAnnotation metadata.annotations[${IS_CA}]`],
    calls: [],
  },
  {
    name: 'a locked annotation that is taken away after the approval',
    update: { before: { ...APPROVED_LEAF, annotations: { [DURATION]: '1h' } }, after: APPROVED_LEAF },
    allowed: locked(DURATION),
    causes: [`ImmutableAnnotation ${DURATION_FIELD}`],
    calls: [],
  },
  ...[
    ['that was absent', {}, { [DURATION]: '1h' }],
    ['that was absent, to the empty text', {}, { [DURATION]: '' }],
    ['that is empty and goes', { [DURATION]: '' }, {}],
    ['to what would be admitted', { [DURATION]: '1h' }, { [DURATION]: '2h' }],
    ['to what would be denied', { [DURATION]: '1h' }, { [DURATION]: 'foo' }],
    ['from what would be denied', { [DURATION]: 'foo' }, { [DURATION]: '1h' }],
  ].map(([what, before, after]) => ({
    name: `a locked annotation of a pending request ${what as string}`,
    update: { before: { annotations: before as Annotations }, after: { annotations: after as Annotations } },
    allowed: locked(DURATION),
    causes: [`ImmutableAnnotation ${DURATION_FIELD}`],
    calls: [],
  })),
  {
    name: 'the name of a Secret of a pending request: nothing is said of an issuer or a Secret',
    update: { before: { signerName: SELF }, after: { signerName: SELF, annotations: { [KEY_SECRET]: 'my-key' } } },
    world: secret(undefined),
    allowed: locked(KEY_SECRET),
    causes: [`ImmutableAnnotation metadata.annotations[${KEY_SECRET}]`],
    calls: [],
  },
  {
    name: 'a locked annotation of a pending request whose signer name is malformed',
    update: {
      before: { signerName: 'issuers.cert-manager.io/x' },
      after: { signerName: 'issuers.cert-manager.io/x', annotations: { [IS_CA]: 'true' } },
    },
    allowed: locked(IS_CA),
    causes: [`ImmutableAnnotation metadata.annotations[${IS_CA}]`],
    calls: [],
  },
  {
    name: "a locked annotation of another signer's approved request",
    update: {
      before: { signerName: 'example.com/x', isApproved: true },
      after: { ...APPROVED_CA, signerName: 'example.com/x' },
    },
    allowed: true,
    calls: [],
  },
];
