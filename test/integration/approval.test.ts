// The approver against a real API server, with the permissions that the chart gives it: what it approves, denies and
// leaves alone.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { POLICY_PATH } from '@countersign/common/approval/policy/approval-policy.ts';
import {
  approverEvents,
  createPolicy,
  policyReadiness,
  request,
  startApprovalCluster,
  whenDecided,
} from '../support/approval/approval-cluster.ts';
import type { Cluster } from '../support/cluster.ts';
import { approvalBody, CSRS, getCsr, waitUntilIssued } from '../support/requests.ts';

let cluster: Cluster;
before(async () => {
  cluster = await startApprovalCluster();
});
after(() => cluster?.stop());

/** Policies of one test must not decide on the requests of another. */
async function withPolicies<T>(policies: Parameters<typeof createPolicy>[2][], work: () => Promise<T>): Promise<T> {
  for (const [at, spec] of policies.entries()) await createPolicy(cluster, `policy-${at}`, spec);
  for (const at of policies.keys()) await policyReadiness(cluster, `policy-${at}`);
  try {
    return await work();
  } finally {
    for (const at of policies.keys()) await cluster.api.remove(`${POLICY_PATH}/policy-${at}`);
  }
}

const OWN_NAMES = { allowed: { dnsNames: { values: ['*.{{namespace}}.svc'] } } };

describe('a request', { concurrency: false }, () => {
  it('that a policy allows is approved, with the name of the policy, and signed', () =>
    withPolicies([OWN_NAMES], async () => {
      const csr = await request(cluster, 'allowed', { names: ['dns:api.team-a.svc'] });
      const { type, reason, message } = await whenDecided(cluster, 'allowed');
      assert.deepEqual(
        [type, reason, message],
        ['Approved', 'ApprovedByPolicy', 'ApprovalPolicy policy-0 allows this request'],
      );
      await waitUntilIssued(cluster, 'allowed');
      assert.deepEqual(await approverEvents(cluster, csr, 1), [
        'Normal ApprovedByPolicy: ApprovalPolicy policy-0 allows this request',
      ]);
    }));

  it('that a guard does not allow is denied, with the rule', () =>
    withPolicies([{ onMismatch: 'Deny', allowed: { dnsNames: { values: ['*'] } } }], async () => {
      await request(cluster, 'guarded', { isCA: true });
      const { type, reason, message } = await whenDecided(cluster, 'guarded');
      assert.deepEqual([type, reason], ['Denied', 'DeniedByPolicy']);
      assert.match(message, /policy-0 does not allow this request: spec\.allowed\.isCA: "true" is not allowed/);
    }));

  it('a request waits with an event that says what is missing, and is approved when a policy is added that allows it', () =>
    withPolicies([OWN_NAMES], async () => {
      const csr = await request(cluster, 'later', { names: ['dns:api.team-b.svc'] });
      assert.deepEqual(await approverEvents(cluster, csr, 1), [
        'Warning PolicyMismatch: ApprovalPolicy policy-0 does not allow this request: spec.allowed.dnsNames.values: "api.team-b.svc" is not allowed, wanted: *.team-a.svc',
      ]);
      assert.equal((await getCsr(cluster, 'later')).status?.conditions, undefined);
      await createPolicy(cluster, 'late', { allowed: { dnsNames: { values: ['*'] } } });
      assert.match((await whenDecided(cluster, 'later')).message, /ApprovalPolicy late allows/);
      await cluster.api.remove(`${POLICY_PATH}/late`);
    }));

  it('for which a policy is tried out gets an event, and stays undecided', () =>
    withPolicies([{ ...OWN_NAMES, mode: 'DryRun' }], async () => {
      const csr = await request(cluster, 'tried', { names: ['dns:api.team-a.svc'] });
      const [dryRun, waiting] = await approverEvents(cluster, csr, 2);
      assert.equal(dryRun, 'Normal ApprovalDryRun: ApprovalPolicy policy-0 would approve this request');
      assert.match(waiting ?? '', /^Warning NoApprovalPolicy: /);
      assert.equal((await getCsr(cluster, 'tried')).status?.conditions, undefined);
      await cluster.api.remove(`${CSRS}/tried`);
    }));

  it('with a second common name or an otherName that no policy mentions is not approved', () =>
    withPolicies([{ allowed: { commonName: { value: '*.team-a.svc' }, dnsNames: { values: ['*'] } } }], async () => {
      const smuggled = {
        'two-names': { subject: ['CN=admin', 'CN=api.team-a.svc'] },
        'other-name': { subject: ['CN=api.team-a.svc'], names: ['upn:admin@victim.example'] },
        'directory-name': { subject: ['CN=api.team-a.svc'], names: ['directory:CN=admin'] },
        masters: { subject: ['CN=api.team-a.svc', 'O=system:masters'] },
      };
      for (const [name, written] of Object.entries(smuggled)) {
        const csr = await request(cluster, name, written);
        assert.match((await approverEvents(cluster, csr, 1))[0] ?? '', /^Warning PolicyMismatch/, name);
        assert.equal((await getCsr(cluster, name)).status?.conditions, undefined, name);
        await cluster.api.remove(`${CSRS}/${name}`);
      }
    }));

  it('that a person has denied stays denied', async () => {
    await request(cluster, 'denied', { names: ['dns:api.team-a.svc'] });
    const denied = { type: 'Denied', status: 'True', reason: 'Person', message: 'no' };
    await cluster.api.patch(`${CSRS}/denied/approval`, { status: { conditions: [denied] } });
    await withPolicies([OWN_NAMES], async () => {
      await request(cluster, 'after', { names: ['dns:api.team-a.svc'] });
      await whenDecided(cluster, 'after');
      const { status } = await getCsr(cluster, 'denied');
      assert.deepEqual(
        status?.conditions?.map(({ type, reason }) => [type, reason]),
        [['Denied', 'Person']],
      );
    });
  });

  it('for kubernetes.io is left alone', () =>
    withPolicies([{ allowed: { commonName: { value: '*' }, dnsNames: { values: ['*'] } } }], async () => {
      const signerName = 'kubernetes.io/kube-apiserver-client';
      await request(cluster, 'foreign', { signerName, usages: ['client auth'] });
      await request(cluster, 'own', { names: ['dns:x'] });
      await whenDecided(cluster, 'own');
      assert.equal((await getCsr(cluster, 'foreign')).status?.conditions, undefined);
    }));
});

describe('an ApprovalPolicy', () => {
  it('an ApprovalPolicy says that it is in use', () =>
    withPolicies([OWN_NAMES], async () =>
      assert.equal(await policyReadiness(cluster, 'policy-0'), 'True Enforce: The policy is in use'),
    ));

  it('an ApprovalPolicy says what is wrong with it, and recovers', async () => {
    await createPolicy(cluster, 'wrong', { rules: [{ rule: 'request.commonName == "x"' }] });
    assert.match(await policyReadiness(cluster, 'wrong'), /^False Invalid: spec\.rules\[0\]\.rule: unknown variable/);
    await cluster.api.patch(`${POLICY_PATH}/wrong`, { spec: { rules: null } });
    await cluster.eventually('the policy is Ready', async () =>
      (await policyReadiness(cluster, 'wrong')).startsWith('True') ? true : undefined,
    );
    await cluster.api.remove(`${POLICY_PATH}/wrong`);
  });

  for (const [what, spec, at] of [
    ['the signer of the API server', { signerNames: ['kubernetes.io/kube-apiserver-client'] }, 'spec.signerNames[0]'],
    ['all issuers at once', { signerNames: ['issuers.cert-manager.io/*'] }, 'spec.signerNames[0]'],
    ['no subject', { subjects: [] }, 'spec.subjects'],
    ['a ServiceAccount without a namespace', { subjects: [{ kind: 'ServiceAccount', name: 'x' }] }, 'spec.subjects[0]'],
    ['an unknown mode', { mode: 'Audit' }, 'spec.mode'],
    ['a duration in days', { constraints: { maxDuration: '30d' } }, 'spec.constraints.maxDuration'],
  ] as const) {
    it(`for ${what} is rejected by the schema`, () =>
      assert.rejects(createPolicy(cluster, 'rejected', spec as never), (error: Error) => {
        assert.match(error.message, / 422 /);
        assert.ok(error.message.includes(at), error.message);
        return true;
      }));
  }

  it('an ApprovalPolicy takes allowed and constraints of a CertificateRequestPolicy unchanged', async () => {
    const spec = {
      allowed: {
        commonName: { required: false, value: '*.example.com', validations: [{ rule: 'size(self) < 24' }] },
        dnsNames: {
          required: true,
          values: ['*.example.com'],
          validations: [{ rule: "self.endsWith(cr.namespace + '.example.com')", message: 'only your own' }],
        },
        ipAddresses: { values: ['1.2.3.4', '10.0.*'] },
        uris: { values: ['spiffe://example.org/ns/*/sa/*'] },
        emailAddresses: { values: ['*@example.com'] },
        isCA: false,
        usages: ['server auth', 'client auth'],
        subject: { organizations: { values: ['hello-world'] }, serialNumber: { value: '*' } },
        otherNames: [{ oid: '1.3.6.1.4.1.311.20.2.3', values: ['*@example.com'] }],
      },
      constraints: {
        minDuration: '1h',
        maxDuration: '24h',
        privateKey: { algorithm: 'RSA', minSize: 2048, maxSize: 4096 },
      },
    } as const;
    const created = await createPolicy(cluster, 'pasted', spec);
    assert.deepEqual((created as unknown as { spec: typeof spec }).spec.allowed, spec.allowed);
    assert.match(await policyReadiness(cluster, 'pasted'), /^True/);
    await cluster.api.remove(`${POLICY_PATH}/pasted`);
  });
});

it('what was evaluated is what is approved, while others change the requests', () =>
  withPolicies([OWN_NAMES], async () => {
    // The annotations of a CSR can change until somebody forbids it: here as an administrator, past the
    // webhook's objects.
    const names = Array.from({ length: 30 }, (_, at) => `race-${at}`);
    await Promise.all(
      names.map(async name => {
        await request(cluster, name, { names: ['dns:api.team-a.svc'] });
        for (let at = 0; at < 5; at++) {
          await cluster.api.patch(`${CSRS}/${name}`, { metadata: { annotations: { at: String(at) } } });
          await sleep(1);
        }
      }),
    );
    await Promise.all(names.map(name => whenDecided(cluster, name)));
    for (const { child } of cluster.installation.running('approver')) {
      const log = await readFile(child.logPath, 'utf8');
      const approved = log.split('\n').flatMap(line => (line.includes('"request approved"') ? [JSON.parse(line)] : []));
      const ofRace = approved.filter(({ csr }) => csr.startsWith('race-'));
      assert.equal(new Set(ofRace.map(({ csr }) => csr)).size, names.length);
      assert.equal(ofRace.length, names.length, 'each is approved once');
    }
  }));

it('another replica approves when the leader stops', () =>
  withPolicies([OWN_NAMES], async () => {
    const [leader] = cluster.installation.running('approver');
    await cluster.installation.start('approver');
    await leader?.child.stop(10_000);
    await request(cluster, 'next-leader', { names: ['dns:api.team-a.svc'] });
    assert.equal((await whenDecided(cluster, 'next-leader')).type, 'Approved');
    const [next] = cluster.installation.running('approver');
    const metrics = await (await fetch(`${next?.url}/metrics`)).text();
    assert.match(metrics, /^countersign_approvals_total\{decision="approved"\} 1$/m);
    assert.match(metrics, /^countersign_approval_policies\{state="valid"\} 1$/m);
    assert.match(metrics, /^leader_election_master_status 1$/m);
  }));

describe('the approver’s token', () => {
  const approver = {
    user: 'system:serviceaccount:countersign:countersign-approver',
    groups: ['system:authenticated'],
  };
  const attempt = (method: 'GET' | 'PATCH' | 'POST', path: string, body?: unknown) =>
    cluster.api.call<{ message: string }>({ method, path, as: approver, ...(body !== undefined && { body }) });

  it('the approver’s token cannot approve for another signer', async () => {
    const signerName = 'kubernetes.io/kube-apiserver-client';
    await request(cluster, 'forbidden', { signerName, usages: ['client auth'] });
    const { status, body } = await attempt('PATCH', `${CSRS}/forbidden/approval`, approvalBody());
    assert.equal(status, 403);
    assert.match(body.message, /user not permitted to approve requests with signerName "kubernetes\.io/);
  });

  it('the approver’s token cannot approve for an issuer that its values do not name', async () => {
    await cluster.createIssuer({ name: 'company' }, { ca: { secretName: 'company' } });
    await request(cluster, 'company', { signerName: 'clusterissuers.cert-manager.io/company' });
    const { status } = await attempt('PATCH', `${CSRS}/company/approval`, approvalBody());
    assert.equal(status, 403);
  });

  it('the approver’s token cannot sign', async () => {
    await request(cluster, 'unsigned', { names: ['dns:x'] });
    const { status } = await attempt('PATCH', `${CSRS}/unsigned/status`, { status: { certificate: 'eA==' } });
    assert.equal(status, 403);
  });

  for (const [what, method, path] of [
    ['read Secrets', 'GET', '/api/v1/namespaces/team-a/secrets/ca'],
    ['list Secrets', 'GET', '/api/v1/secrets'],
    ['create CSRs', 'POST', CSRS],
    ['change CSRs', 'PATCH', `${CSRS}/unsigned`],
    ['create policies', 'POST', POLICY_PATH],
    ['change policies', 'PATCH', `${POLICY_PATH}/x`],
    ['change RBAC', 'POST', '/apis/rbac.authorization.k8s.io/v1/clusterroles'],
  ] as const) {
    it(`the approver’s token cannot ${what}`, async () =>
      assert.equal((await attempt(method, path, method === 'GET' ? undefined : {})).status, 403));
  }

  it('the approver’s token can approve for the issuers that its values name', async () => {
    await request(cluster, 'permitted', { names: ['dns:x'] });
    const { status } = await attempt('PATCH', `${CSRS}/permitted/approval`, approvalBody());
    assert.equal(status, 200);
  });
});
