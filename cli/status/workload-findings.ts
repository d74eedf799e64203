// Judges the Deployments of Countersign and the Lease of its signer. Pure.

import { formatAge } from '../terminal/time-text.ts';
import type { Finding } from './finding.ts';

/** apps/v1 Deployment, the fields that are used. */
export interface Deployment {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: { readonly replicas?: number };
  readonly status?: { readonly readyReplicas?: number };
}

/** coordination.k8s.io/v1 Lease. */
export interface Lease {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly renewTime?: string;
    readonly leaseDurationSeconds?: number;
  };
}

const COMPONENTS = ['webhook', 'signer'] as const;

export function deploymentFindings(deployments: readonly Deployment[], namespace: string): readonly Finding[] {
  return COMPONENTS.map(component => {
    const found = deployments.find(({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] === component);
    return found === undefined ? missing(component, namespace) : readiness(component, found);
  });
}

function missing(component: string, namespace: string): Finding {
  return {
    what: `${component} replicas`,
    state: 'unknown',
    text: `no Deployment in the namespace ${namespace}; choose another with -n`,
  };
}

function readiness(component: string, { metadata, spec, status }: Deployment): Finding {
  const [ready, wanted] = [status?.readyReplicas ?? 0, spec?.replicas ?? 1];
  const state = ready === 0 ? 'bad' : ready < wanted ? 'warning' : 'ok';
  return {
    what: `${component} replicas`,
    state,
    text: `Deployment ${metadata.name}: ${ready} of ${wanted} replicas ready`,
  };
}

export function leaseFinding(lease: Lease | undefined, now: Date): Finding {
  const what = 'leader';
  const { holderIdentity, renewTime = '', leaseDurationSeconds = 15 } = lease?.spec ?? {};
  if (!holderIdentity) return { what, state: 'bad', text: 'no signer holds the Lease: nothing is signed' };
  const ageMs = now.getTime() - Date.parse(renewTime);
  // Leases are judged by their own clock; a minute covers clocks that differ.
  if (!(ageMs < leaseDurationSeconds * 1_000 + 60_000)) {
    return {
      what,
      state: 'bad',
      text: `${holderIdentity} has not renewed the Lease for ${formatAge(ageMs)}: nothing is signed`,
    };
  }
  return { what, state: 'ok', text: `${holderIdentity} renewed the Lease ${formatAge(ageMs)} ago` };
}
