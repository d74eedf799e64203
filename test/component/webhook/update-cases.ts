// Changes of requests. Read by admissions.test.ts.

import {
  REQUEST_DURATION as DURATION,
  REQUEST_IS_CA as IS_CA,
  PRIVATE_KEY_SECRET_NAME as KEY_SECRET,
} from '@countersign/common/annotations.ts';
import {
  APPROVED_CA,
  APPROVED_LEAF,
  BAD_DURATION,
  type Case,
  DURATION_FIELD,
  locked,
  READ_SECRET,
  SELF,
  secret,
} from './admission-world.ts';

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
  {
    name: 'a locked annotation before the approval, without asking for permission again',
    update: { before: {}, after: { annotations: { [DURATION]: '1h' } } },
    allowed: true,
    calls: [READ_SECRET],
  },
  {
    name: 'the name of a Secret before the approval, which is not looked for: nobody asked whether the requester may know',
    update: { before: { signerName: SELF }, after: { signerName: SELF, annotations: { [KEY_SECRET]: 'my-key' } } },
    world: secret(undefined),
    allowed: true,
    calls: [],
  },
  {
    name: 'a locked annotation before the approval to something that is wrong',
    update: { before: {}, after: { annotations: { [DURATION]: 'foo' } } },
    allowed: { code: 422, reason: 'ErrorParseDuration', message: BAD_DURATION },
    causes: [`ErrorParseDuration ${DURATION_FIELD}`],
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
