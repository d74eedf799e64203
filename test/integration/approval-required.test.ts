// Approval policies beyond the approver, on a real API server with the permissions of the chart: the webhook denies at
// creation what no policy allows, and the signer signs only what a policy still allows.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { POLICY_PATH } from '@countersign/common/approval/policy/approval-policy.ts';
import {
  createPolicy,
  eventMessage,
  request,
  startApprovalCluster,
  whenDecided,
} from '../support/approval/approval-cluster.ts';
import type { Cluster } from '../support/cluster.ts';
import { approve, CSRS, getCsr, waitUntilIssued } from '../support/requests.ts';

let cluster: Cluster;
before(async () => {
  cluster = await startApprovalCluster({
    values: { policy: { requireApprovalPolicy: true }, webhook: { approvalPolicies: 'deny' } },
    signerFlags: ['--require-approval-policy=true'],
    webhookFlags: ['--approval-policies=deny'],
  });
});
after(() => cluster?.stop());

const OWN_NAMES = { allowed: { dnsNames: { values: ['*.{{namespace}}.svc'] } } };

/** Polls, because the caches of policies are updated by watches. */
function eventuallyDenied(name: string, names: readonly string[], expected: RegExp): Promise<true> {
  return cluster.eventually(`${name} is denied`, async () => {
    try {
      await request(cluster, name, { names });
    } catch (error) {
      assert.match(String(error), expected);
      return true;
    }
    await cluster.api.remove(`${CSRS}/${name}`);
    return undefined;
  });
}

describe('approval policies', { concurrency: false }, () => {
  it('leave requests for a signer that none names to people, but the signer does not sign them', async () => {
    const csr = await request(cluster, 'by-hand', { names: ['dns:api.team-a.svc'] });
    await approve(cluster, 'by-hand');
    const message = await eventMessage(cluster, csr, 'ApprovalPolicyRequired');
    assert.match(message, /^Approved, but not signed without an ApprovalPolicy that allows it: No ApprovalPolicy/);
    assert.equal((await getCsr(cluster, 'by-hand')).status?.certificate, undefined);
  });

  it('approval policies are evaluated again for what waits, when one is added', async () => {
    await createPolicy(cluster, 'own-names', OWN_NAMES);
    await waitUntilIssued(cluster, 'by-hand');
  });

  it('deny at creation what none of them allows, with the nearest one and who can change it', async () => {
    await eventuallyDenied(
      'foreign',
      ['dns:api.team-b.svc'],
      /ApprovalPolicy own-names does not allow this request: spec\.allowed\.dnsNames\.values: .*api\.team-b\.svc.* kubectl edit approvalpolicy own-names \(PolicyMismatch\)/s,
    );
    await request(cluster, 'own', { names: ['dns:web.team-a.svc'] });
    assert.match((await whenDecided(cluster, 'own')).message, /own-names allows this request/);
    await waitUntilIssued(cluster, 'own');
  });

  it('approval policies are ignored again once they are gone', async () => {
    await cluster.api.remove(`${POLICY_PATH}/own-names`);
    await cluster.eventually('a request that was denied is admitted', () =>
      request(cluster, 'foreign', { names: ['dns:api.team-b.svc'] }).catch(() => undefined),
    );
  });
});

it('only the services that evaluate policies may read them, and none may write them', async () => {
  for (const [service, verb, expected] of [
    ['signer', 'list', 'yes'],
    ['webhook', 'watch', 'yes'],
    ['signer', 'update', 'no'],
    ['webhook', 'create', 'no'],
  ] as const) {
    const as = `--as=system:serviceaccount:countersign:countersign-${service}`;
    const answer = await cluster.controlPlane.kubectl(['auth', 'can-i', verb, 'approvalpolicies', as]);
    assert.equal(answer.stdout.trim(), expected, `${service} ${verb}`);
  }
});
