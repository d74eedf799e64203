// The explanation of a PodCertificateRequest as plain data: who asks for what, and why there is no certificate. Pure.

import { type Issuer, issuerType } from '@countersign/common/issuers/issuer.ts';
import { issuerTypes } from '@countersign/common/issuers/issuer-types.ts';
import {
  findPodCondition,
  type PodCertificateRequest,
  type PodConditionType,
  podRequester,
} from '@countersign/common/pods/pod-certificate-request.ts';
import { isReason, reasons } from '@countersign/common/reasons/reasons.ts';
import { grantCommands } from '@countersign/common/reference-permission.ts';
import { parseSignerName, type SignerRef } from '@countersign/common/signer-name.ts';
import type { CsrEvent } from '../cluster/csr.ts';
import type { Known } from '../cluster/known.ts';
import type { Permission } from '../cluster/permission.ts';
import { conditionText } from '../explain/csr-state.ts';
import { type IssuerState, issuerState } from '../explain/explanation.ts';
import { issuerObstacles } from '../explain/issuer-obstacles.ts';
import { actionFor, type Obstacle, pluginCommand } from '../explain/obstacle.ts';

export interface PodFacts {
  readonly request: PodCertificateRequest;
  readonly issuer: Known<Issuer | undefined> | undefined;
  readonly permission: Permission | undefined;
  /** Of this request, oldest first. */
  readonly events: Known<readonly CsrEvent[]>;
}

export type PodState = 'Pending' | PodConditionType;

export interface PodExplanation {
  readonly namespace: string;
  readonly name: string;
  readonly pod: string;
  readonly requester: string;
  readonly node: string;
  readonly created: string | undefined;
  readonly state: PodState;
  readonly signerName: string;
  readonly maxExpirationSeconds: number | undefined;
  readonly userAnnotations: Readonly<Record<string, string>>;
  readonly issuer: IssuerState | undefined;
  readonly permission: Permission | undefined;
  readonly notAfter: string | undefined;
  readonly conditions: readonly string[];
  readonly events: readonly string[] | { readonly unknown: string };
  readonly obstacles: readonly Obstacle[];
}

export function podStateOf(request: PodCertificateRequest): PodState {
  const types: readonly PodConditionType[] = ['Issued', 'Denied', 'Failed'];
  return types.find(type => findPodCondition(request, type) !== undefined) ?? 'Pending';
}

export function explainPod(facts: PodFacts): PodExplanation {
  const { request, issuer, permission, events } = facts;
  const { metadata, spec, status } = request;
  const signer = parseSignerName(spec.signerName);
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    pod: spec.podName,
    requester: podRequester(request).username ?? '',
    node: spec.nodeName,
    created: metadata.creationTimestamp,
    state: podStateOf(request),
    signerName: spec.signerName,
    maxExpirationSeconds: spec.maxExpirationSeconds,
    userAnnotations: spec.unverifiedUserAnnotations ?? {},
    issuer: signer.ok ? issuerState(signer.value, issuer) : undefined,
    permission,
    notAfter: status?.notAfter,
    conditions: (status?.conditions ?? []).map(found => `${found.type}: ${conditionText(found)}`),
    events: events.known
      ? events.value.map(({ type, reason, message }) => `${type} ${reason}: ${message}`)
      : { unknown: events.why },
    obstacles: findPodObstacles(facts),
  };
}

/** Empty if the pod has its certificate. */
export function findPodObstacles(facts: PodFacts): readonly Obstacle[] {
  const { request, events } = facts;
  const state = podStateOf(request);
  if (state === 'Issued') return [];
  if (state !== 'Pending') return [refusedObstacle(request, state)];
  const signer = parseSignerName(request.spec.signerName);
  if (!signer.ok) return [signerNameObstacle(request.spec.signerName)];
  const permission = facts.permission?.kind === 'missing' ? [permissionObstacle(signer.value, request)] : [];
  const found = [...findIssuerObstacles(signer.value, facts), ...permission];
  const all = [...found, ...eventObstacles(events, found)];
  return all.length > 0 ? all : [SIGNER];
}

const SIGNER: Obstacle = {
  what: 'the signer has not signed it yet',
  fix: 'A certificate takes milliseconds. If it takes longer, check that the signer runs and has a leader.',
  command: pluginCommand('status'),
  isFinal: false,
};

function refusedObstacle(request: PodCertificateRequest, state: PodConditionType): Obstacle {
  const { reason = '', message = '' } = findPodCondition(request, state) ?? {};
  return {
    ...(reason !== '' && { reason }),
    what: message || `the request is ${state} without a message`,
    fix: `This is final for the pod. ${actionFor(reason) ?? 'Correct what the message names, and create a new pod.'}`,
    isFinal: true,
  };
}

function signerNameObstacle(signerName: string): Obstacle {
  return {
    what: `the signer name ${signerName} belongs to another signer, or to no issuer`,
    fix: 'Countersign signs issuers.cert-manager.io/<namespace>.<name> and clusterissuers.cert-manager.io/<name>: correct signerName in the podCertificate volume.',
    isFinal: false,
  };
}

function findIssuerObstacles(ref: SignerRef, { issuer }: PodFacts): readonly Obstacle[] {
  if (issuer?.known !== true) return [];
  const type = issuer.value && issuerType(issuer.value);
  if (type === undefined || issuerTypes[type].servesPods) return issuerObstacles(ref, issuer.value);
  // Nothing else that may be wrong with the issuer matters.
  const what = reasons.IssuerTypeUnsupported.message(ref, type);
  return [{ reason: 'IssuerTypeUnsupported', what, fix: actionFor('IssuerTypeUnsupported') ?? '', isFinal: false }];
}

function permissionObstacle(ref: SignerRef, request: PodCertificateRequest): Obstacle {
  const { username = '' } = podRequester(request);
  return {
    reason: 'DeniedReference',
    what: `${reasons.DeniedReference.message(ref)}: ${username} lacks the verb reference`,
    fix: 'Have an administrator grant it with these commands. The request waits until then.',
    command: grantCommands(ref, username),
    isFinal: false,
  };
}

/** The last event, if it reports a cause that nothing else has shown, such as a missing Secret. */
function eventObstacles(events: PodFacts['events'], found: readonly Obstacle[]): readonly Obstacle[] {
  const last = events.known
    ? events.value.findLast(({ type, reason = '' }) => type === 'Warning' && isReason(reason))
    : undefined;
  const { reason = '', message = '' } = last ?? {};
  if (last === undefined || found.some(obstacle => obstacle.reason === reason)) return [];
  return [{ reason, what: message, fix: actionFor(reason) ?? '', isFinal: false }];
}
