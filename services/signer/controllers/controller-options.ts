// The options of a controller: types only.

import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { Logger } from '@countersign/common/runtime/process/log.ts';
import type { PolicyCache, PolicyCacheOptions } from '@countersign/common/runtime/reflector/policy-cache.ts';
import type { SignerMetrics } from '../metrics.ts';
import type { SigningSettings } from '../observe.ts';
import type { RequestKind } from '../requests/request-kind.ts';
import type { SecretReader } from '../secret-reader.ts';
import type { TrustBundleSettings } from './bundle-controller.ts';

export interface ControllerOptions {
  readonly client: KubeClient;
  readonly log: Logger;
  readonly metrics: SignerMetrics;
  /** Shared with the issuer types that read Secrets themselves. */
  readonly secrets: SecretReader;
  readonly settings: SigningSettings;
  /** The kinds of request that are signed; each has its own queue. */
  readonly kinds: readonly RequestKind[];
  /** Maximum number of requests processed concurrently, of all kinds together. */
  readonly workers: number;
  /** Whether to set the Ready condition of issuers: unless cert-manager is running, always, or never. */
  readonly issuerStatus: 'auto' | 'always' | 'never';
  /** The namespace where name constraints of issuers are published for the webhook; undefined: not published. */
  readonly constraintsNamespace?: string | undefined;
  /** Makes the cache of the approval policies, one of which must allow what is signed; undefined: none is needed. */
  readonly createPolicyCache?: ((options: PolicyCacheOptions) => PolicyCache) | undefined;
  /** Which trust bundles to publish; undefined: none. */
  readonly trustBundles?: TrustBundleSettings | undefined;
  /** What else wakes requests, by their names. */
  readonly wakers?: readonly Waker[];
  /** How often the events of waiting requests are recorded again, in milliseconds; defaults to 15 minutes. */
  readonly emitAgainMs?: number;
}

/** Wakes requests when something outside of them changes, until the signal. */
export interface Waker {
  run(signal: AbortSignal, wake: (requestName: string) => void): Promise<void>;
}
