// One run of the approver against a client that records every request: a CSR and policies in, the exact requests and
// events out.

import { type ApprovalRecord, toApprovalRecord } from '@countersign/approver/approval-record.ts';
import { Controller } from '@countersign/approver/controller.ts';
import { ApproverMetrics } from '@countersign/approver/metrics.ts';
import { type Outcome, type ReconcileDeps, reconcile } from '@countersign/approver/reconcile.ts';
import type { SignerScope } from '@countersign/approver/signer-scope.ts';
import type { ApprovalPolicySpec } from '@countersign/common/approval/policy/approval-policy.ts';
import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import { PERMISSIVE_POLICY } from '@countersign/common/request-policy.ts';
import { soleLeadership } from '@countersign/common/runtime/controller/leadership.ts';
import { createRegistry } from '@countersign/common/runtime/process/metrics.ts';
import { compileAll } from '../../support/approval/evaluation-cases.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import { TEST_LOG } from '../../support/test-log.ts';

export const SCOPE: SignerScope = { names: new Set(['issuers.cert-manager.io/*']), external: [] };
export const OWN_USERNAME = 'system:serviceaccount:countersign:countersign-approver';
export const NOW = new Date('2026-11-30T12:00:00.000Z');

/** Starts a whole approver that leads; returns how to stop it. */
export function startApprover(client: RecordingClient): () => Promise<void> {
  const metrics = new ApproverMetrics(createRegistry());
  const options = { client, log: TEST_LOG, metrics, scope: SCOPE, requestPolicy: PERMISSIVE_POLICY, workers: 1 };
  const controller = new Controller(options);
  const stop = new AbortController();
  const running = Promise.all([controller.watch(stop.signal), controller.lead(soleLeadership(stop.signal))]);
  return async () => {
    stop.abort();
    await running;
  };
}

export class ApproverHarness {
  readonly client = new RecordingClient();
  readonly events: string[] = [];
  readonly deps: ReconcileDeps;
  record: ApprovalRecord;

  constructor(
    csr: CertificateSigningRequest,
    policies: Readonly<Record<string, ApprovalPolicySpec>> = {},
    changes: Partial<ReconcileDeps> = {},
  ) {
    this.record = toApprovalRecord(csr, SCOPE);
    const compiled = compileAll(policies);
    this.deps = {
      client: this.client,
      events: { record: (_, { type, reason, message }) => void this.events.push(`${type} ${reason}: ${message}`) },
      scope: SCOPE,
      requestPolicy: PERMISSIVE_POLICY,
      isLeading: () => true,
      now: () => NOW,
      ownUsername: () => OWN_USERNAME,
      findRecord: () => this.record,
      policies: () => compiled,
      readPolicies: async () => compiled,
      ...changes,
    };
  }

  run(attempt = 0): Promise<Outcome> {
    return reconcile(this.deps, { name: this.record.metadata.name, attempt, log: TEST_LOG });
  }
}
