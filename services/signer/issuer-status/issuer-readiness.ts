// Maintains the Ready condition of Issuers and ClusterIssuers, as cert-manager does, and leaves it alone while
// cert-manager is running. Never touches other conditions or issuer types that are not supported here.

import { type Condition, formatTime } from '@countersign/common/csr.ts';
import { type Issuer, issuerPath, readyCondition } from '@countersign/common/issuers/issuer.ts';
import type { EventSubject } from '@countersign/common/runtime/controller/event-object.ts';
import type { EventRecorder } from '@countersign/common/runtime/controller/event-recorder.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { Logger } from '@countersign/common/runtime/process/log.ts';
import { ISSUER_GROUP, type IssuerRef } from '@countersign/common/signer-name.ts';
import type { Effect } from '../effect.ts';
import { FIELD_MANAGER } from '../field-manager.ts';
import { findHandler, type Readiness } from '../issuers/issuer-type.ts';
import type { SignerMetrics } from '../metrics.ts';
import type { SigningSettings } from '../observe.ts';
import type { SecretReader } from '../secret-reader.ts';
import type { ConstraintPublisher } from './constraint-publisher.ts';
import { type KnownIssuer, readIssuerSecret } from './issuer-material.ts';

export interface ReadinessDeps {
  readonly client: Pick<KubeClient, 'mergePatch'>;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly secrets: Pick<SecretReader, 'read'>;
  readonly metrics: Pick<SignerMetrics, 'recordCaExpiry'>;
  readonly log: Logger;
  readonly now: () => Date;
  readonly settings: Pick<SigningSettings, 'handlers' | 'clusterResourceNamespace'>;
  /** Receives the name constraints of each issuer; absent if nothing is published. */
  readonly constraints?: Pick<ConstraintPublisher, 'set'> | undefined;
  readonly isLeading: () => boolean;
  /** False while another replica is the leader, cert-manager sets the condition, or the operator disabled it. */
  readonly mayWrite: () => boolean;
}

/** When to check the issuer again. */
export interface Recheck {
  /** When the Secret that it needs to become Ready changes. */
  readonly onChange?: Pick<Extract<Effect, { kind: 'wake-on-secret' }>, 'ref' | 'version'>;
  readonly afterMs?: number;
}

/**
 * Reconciles one issuer (undefined if deleted): records its name constraints and warnings, and writes its Ready
 * condition if it differs. Returns when to check the issuer again, if that is sooner than usual.
 */
export async function reconcileReadiness(
  deps: ReadinessDeps,
  ref: IssuerRef,
  issuer: Issuer | undefined,
): Promise<Recheck> {
  const { constraints, isLeading, mayWrite } = deps;
  if (!isLeading() || (constraints === undefined && !mayWrite())) return {};
  const handler = findHandler(deps.settings.handlers, issuer);
  // A type without a CA of its own has no name constraints to read.
  const isNeeded = mayWrite() || handler?.anchors !== undefined;
  if (issuer !== undefined && handler !== undefined && isNeeded) return lookAt(deps, { ref, issuer, handler });
  constraints?.set(ref, undefined, []);
  return {};
}

async function lookAt(deps: ReadinessDeps, known: KnownIssuer): Promise<Recheck> {
  const readiness = await readReadiness(deps, known);
  // The read may have taken long enough for another replica to become leader.
  if (readiness === undefined || !deps.isLeading()) return {};
  deps.constraints?.set(known.ref, known.issuer.metadata.uid, readiness.constrained ?? []);
  // cert-manager, which may maintain the condition, has no such events.
  for (const warning of readiness.warnings ?? []) deps.events.record(subjectOf(known.ref, known.issuer), warning);
  if (!deps.mayWrite()) return {};
  await keepReady(deps, known, readiness);
  return recheckOf(readiness);
}

/**
 * Best effort if only name constraints are needed: without them the webhook admits more, and the signer decides from
 * its own read.
 */
async function readReadiness(deps: ReadinessDeps, known: KnownIssuer): Promise<Readiness | undefined> {
  try {
    const readiness = await known.handler.readiness({ ...known, material: await loadMaterial(deps, known) });
    if (readiness !== 'kept-elsewhere') return readiness;
    deps.constraints?.set(known.ref, undefined, []);
    return undefined;
  } catch (error) {
    if (deps.mayWrite()) throw error;
    deps.log.debug({ err: error }, 'cannot read name constraints of issuer');
    return undefined;
  }
}

async function keepReady(deps: ReadinessDeps, { ref, issuer }: KnownIssuer, readiness: Readiness): Promise<void> {
  recordCaExpiry(deps, ref, readiness);
  const before = readyCondition(issuer);
  const now = toCondition(readiness, issuer, deps.now());
  if (isSame(before, now)) return;
  await writeCondition(deps, ref, issuer, now);
  recordEvents(deps, ref, issuer, { ...readiness, condition: now });
}

/** Returns the issuer's signing material; undefined if the issuer has none. */
async function loadMaterial(deps: ReadinessDeps, known: KnownIssuer): Promise<unknown> {
  const secret = await readIssuerSecret(deps, known);
  return secret && known.handler.load(secret);
}

function recordCaExpiry(deps: ReadinessDeps, ref: IssuerRef, { ends }: Readiness): void {
  if (deps.metrics.recordCaExpiry(ref, ends) && ends !== undefined)
    deps.log.info({ ...logFields(ref), ends }, 'issuer CA expiry changed');
}

function logFields({ kind, namespace, name }: IssuerRef): Record<string, string> {
  return { issuer: `${namespace}/${name}`, kind };
}

function recheckOf({ secret, condition, recheckAfterMs: afterMs }: Readiness): Recheck {
  const needsChange = secret !== undefined && condition.status !== 'True';
  return {
    ...(needsChange && { onChange: { ref: secret.ref, version: secret.secret?.metadata.resourceVersion } }),
    ...(afterMs !== undefined && { afterMs }),
  };
}

/** lastTransitionTime changes only when the status does (cert-manager.io/v1 IssuerCondition). */
function toCondition({ condition }: Readiness, issuer: Issuer, now: Date): Condition {
  const before = readyCondition(issuer);
  const kept = before?.status === condition.status ? before.lastTransitionTime : undefined;
  return {
    type: 'Ready',
    ...condition,
    lastTransitionTime: kept ?? formatTime(now),
    ...(issuer.metadata.generation !== undefined && { observedGeneration: issuer.metadata.generation }),
  };
}

function isSame(before: Condition | undefined, now: Condition): boolean {
  return (
    before?.status === now.status &&
    (before.reason ?? '') === (now.reason ?? '') &&
    (before.message ?? '') === (now.message ?? '') &&
    before.observedGeneration === now.observedGeneration
  );
}

async function writeCondition(deps: ReadinessDeps, ref: IssuerRef, issuer: Issuer, ready: Condition): Promise<void> {
  const others = (issuer.status?.conditions ?? []).filter(({ type }) => type !== 'Ready');
  // A merge patch replaces the whole list; the resourceVersion ensures that it is not based on an old one.
  const body = {
    metadata: { resourceVersion: issuer.metadata.resourceVersion },
    status: { conditions: [...others, ready] },
  };
  await deps.client.mergePatch(`${issuerPath(ref)}/status?fieldManager=${FIELD_MANAGER}`, body, deps.mayWrite);
  const { status, reason, message } = ready;
  deps.log.info({ ...logFields(ref), status, reason, detail: message }, 'issuer readiness changed');
}

function recordEvents(
  deps: ReadinessDeps,
  ref: IssuerRef,
  issuer: Issuer,
  readiness: Readiness & { condition: Condition },
): void {
  const occasion = readiness.condition.lastTransitionTime ?? '';
  for (const event of readiness.events) deps.events.record(subjectOf(ref, issuer), { ...event, occasion });
}

function subjectOf({ kind }: IssuerRef, { metadata }: Issuer): EventSubject {
  return { apiVersion: `${ISSUER_GROUP}/v1`, kind, metadata };
}
