// Dependencies shared by all queues of a controller: types only.

import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import type { EventRecorder } from '@countersign/common/runtime/controller/event-recorder.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { Logger } from '@countersign/common/runtime/process/log.ts';
import type { PolicyCache } from '@countersign/common/runtime/reflector/policy-cache.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import type { SignerMetrics } from '../metrics.ts';
import type { SigningSettings } from '../observe.ts';
import type { SecretReader } from '../secret-reader.ts';

export interface ControllerDeps {
  readonly client: KubeClient;
  readonly log: Logger;
  readonly metrics: SignerMetrics;
  readonly settings: SigningSettings;
  readonly events: EventRecorder;
  readonly secrets: SecretReader;
  /** Undefined unless an approval policy must allow what is signed. */
  readonly approvals: PolicyCache | undefined;
  readonly findIssuer: (ref: SignerRef) => Issuer | undefined;
  /** False as soon as leadership is lost, while work in progress finishes. */
  readonly isLeading: () => boolean;
}
