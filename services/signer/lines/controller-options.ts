// What a controller is made of and told: types alone.

import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { Logger } from '@countersign/common/runtime/process/log.ts';
import type { SignerMetrics } from '../metrics.ts';
import type { SigningSettings } from '../observe.ts';
import type { RequestKind } from '../requests/request-kind.ts';
import type { TrustBundleSettings } from './bundle-line.ts';

export interface ControllerOptions {
  readonly client: KubeClient;
  readonly log: Logger;
  readonly metrics: SignerMetrics;
  readonly settings: SigningSettings;
  /** The kinds of request that are signed; each has a line of its own. */
  readonly kinds: readonly RequestKind[];
  /** How many CSRs are worked on at a time. */
  readonly workers: number;
  /** Who sets the Ready condition of issuers: this signer unless cert-manager runs, always this signer, never. */
  readonly issuerStatus: 'auto' | 'always' | 'never';
  /** Where the name constraints of issuers are published for the webhook; undefined: nowhere. */
  readonly constraintsNamespace?: string | undefined;
  /** Which trust bundles are published; undefined: none. */
  readonly trustBundles?: TrustBundleSettings | undefined;
  /** How often the events of what waits are written anew, in milliseconds; every quarter of an hour unless given. */
  readonly emitAgainMs?: number;
}
