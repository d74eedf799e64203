// The step of the demo in which a policy approves: what it allows is signed without a person, the rest waits.

import { applyManifest } from './manifests.ts';
import { createRequest } from './openssl-requests.ts';
import type { DemoStepsDeps } from './steps.ts';

/** The only signer for which the approver of the demo may approve. */
export const APPROVED_SIGNER = 'clusterissuers.cert-manager.io/my-cluster-issuer';

const POLICY = {
  apiVersion: 'approval.countersign.io/v1alpha1',
  kind: 'ApprovalPolicy',
  metadata: { name: 'web-servers' },
  spec: {
    signerNames: [APPROVED_SIGNER],
    subjects: [{ kind: 'User', name: 'jane' }],
    allowed: {
      commonName: { value: '*.example.com' },
      dnsNames: { values: ['*.example.com'] },
      usages: ['digital signature', 'key encipherment', 'server auth'],
    },
  },
};

export async function approveByPolicy(deps: DemoStepsDeps): Promise<void> {
  const { narrator } = deps;
  narrator.heading('8. Approve by policy');
  narrator.explain('An ApprovalPolicy says what jane may have from the ClusterIssuer:');
  await applyManifest(deps, 'policy.yaml', POLICY);
  await narrator.run(['kubectl', 'get', 'approvalpolicies'], { within: 10, prints: ['web-servers', 'True'] });
  narrator.explain('\njane creates a CSR that the policy allows. The approver approves it, and Countersign signs it:');
  await createRequest(deps, { name: 'server', signerName: APPROVED_SIGNER });
  await narrator.run(['kubectl', '--kubeconfig', 'jane.kubeconfig', 'create', '-f', 'server.yaml']);
  await narrator.run(['kubectl', 'get', 'csr', 'server'], { within: 10, prints: ['Approved,Issued'] });
  narrator.explain('\nA CSR from mallory, whom no policy names, waits. The event says why:');
  await createRequest(deps, { name: 'unlisted', signerName: APPROVED_SIGNER });
  await narrator.run(['kubectl', '--kubeconfig', 'mallory.kubeconfig', 'create', '-f', 'unlisted.yaml']);
  const selector = 'involvedObject.name=unlisted,reason=NoApprovalPolicy';
  const events = ['kubectl', 'get', 'events', '--field-selector', selector];
  await narrator.run(events, { within: 10, prints: ['No ApprovalPolicy selects requests of mallory'] });
}
