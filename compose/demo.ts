// Objects of the demo: an Issuer in its own namespace, and users who may create requests. values.yaml defines who may
// reference the Issuer.

import type { KeyPair } from '../test/support/control-plane/authority.ts';

export const DEMO_SIGNER_NAME = 'issuers.cert-manager.io/demo.demo-ca';

const RBAC = 'rbac.authorization.k8s.io';
const REQUESTERS = 'demo-requesters';

export function demoObjects(ca: KeyPair) {
  const metadata = { name: 'demo-ca', namespace: 'demo' };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'demo' } },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata,
      type: 'kubernetes.io/tls',
      stringData: { 'tls.crt': ca.certPem, 'tls.key': ca.keyPem },
    },
    { apiVersion: 'cert-manager.io/v1', kind: 'Issuer', metadata, spec: { ca: { secretName: 'demo-ca' } } },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRole',
      metadata: { name: REQUESTERS },
      rules: [
        {
          apiGroups: ['certificates.k8s.io'],
          resources: ['certificatesigningrequests'],
          verbs: ['create', 'get', 'list', 'watch'],
        },
      ],
    },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: REQUESTERS },
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: REQUESTERS },
      subjects: ['jane', 'mallory'].map(name => ({ apiGroup: RBAC, kind: 'User', name })),
    },
  ];
}
