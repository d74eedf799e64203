// The flags of the signer, and the environment variables of the same names.

import { COMMON_OPTIONS } from '@countersign/common/runtime/common-options.ts';
import { defineOptions } from '@countersign/common/runtime/config.ts';

export const OPTIONS = defineOptions({
  ...COMMON_OPTIONS,
  workers: { kind: 'integer', default: 32, min: 1, max: 1000, help: 'How many CSRs are worked on at the same time.' },
  leaderElect: {
    kind: 'boolean',
    default: true,
    help: 'Whether to sign only while holding the Lease countersign-signer in the own namespace. Needed with more than one replica.',
  },
  issuerStatus: {
    kind: 'enum',
    values: ['auto', 'always', 'never'],
    default: 'auto',
    help: 'Who sets the Ready condition of issuers: this signer unless cert-manager runs in the cluster (auto), always this signer, or never.',
  },
  caAnnotation: {
    kind: 'boolean',
    default: true,
    help: 'Whether the annotation experimental.cert-manager.io/ca is written with the certificate.',
  },
});
