// cert-manager in pods: its own controllers and webhook, with a Service for the webhook. Manifests only. Its
// permissions are an administrator's, because they are not what is tested.

import type { KeyPair } from '../support/control-plane/authority.ts';

export const CERT_MANAGER_NAMESPACE = 'cert-manager';
export const CERT_MANAGER_IMAGE = 'localhost/countersign-cert-manager:1';
/** Also the names of their Deployments. */
export const CERT_MANAGER_PROGRAMS = ['controllers', 'webhook'] as const;
export const WEBHOOK_HOST = `webhook.${CERT_MANAGER_NAMESPACE}.svc`;

const PORT = 10_250;
const HEALTH_PORT = 6_080;
const ACCOUNT = 'cert-manager';
const SERVING = 'webhook-tls';

export interface CertManagerSettings {
  /** The namespace of the Secrets of ClusterIssuers. */
  readonly clusterResourceNamespace: string;
  readonly nameserver: string;
  /** The certificate of the webhook, for WEBHOOK_HOST. */
  readonly serving: KeyPair;
}

export function certManagerObjects({ clusterResourceNamespace, nameserver, serving }: CertManagerSettings): object[] {
  const files = ['--tls-cert=/tls/tls.crt', '--tls-key=/tls/tls.key'];
  const controllers = [`--cluster-resource-namespace=${clusterResourceNamespace}`, `--nameservers=${nameserver}`];
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: CERT_MANAGER_NAMESPACE } },
    named('v1', 'ServiceAccount', ACCOUNT),
    BINDING,
    {
      ...named('v1', 'Secret', SERVING),
      type: 'kubernetes.io/tls',
      stringData: { 'tls.crt': serving.certPem, 'tls.key': serving.keyPem },
    },
    deployment('controllers', controllers),
    deployment('webhook', [`--port=${PORT}`, `--healthz-port=${HEALTH_PORT}`, ...files], {
      volumeMounts: [{ name: 'tls', mountPath: '/tls', readOnly: true }],
      readinessProbe: { httpGet: { path: '/healthz', port: HEALTH_PORT }, periodSeconds: 1 },
    }),
    {
      ...named('v1', 'Service', 'webhook'),
      spec: { selector: { app: 'webhook' }, ports: [{ port: 443, targetPort: PORT }] },
    },
  ];
}

/** `caPem`: of the certificate of the webhook. */
export function callThroughService(caPem: string) {
  const service = { namespace: CERT_MANAGER_NAMESPACE, name: 'webhook' };
  const caBundle = Buffer.from(caPem).toString('base64');
  return (path: string) => ({ service: { ...service, path: `/${path}` }, caBundle });
}

const BINDING = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'cert-manager' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
  subjects: [{ kind: 'ServiceAccount', namespace: CERT_MANAGER_NAMESPACE, name: ACCOUNT }],
};

function named(apiVersion: string, kind: string, name: string) {
  return { apiVersion, kind, metadata: { namespace: CERT_MANAGER_NAMESPACE, name } };
}

function deployment(program: string, flags: readonly string[], more: object = {}): object {
  const labels = { app: program };
  const container = { name: program, image: CERT_MANAGER_IMAGE, imagePullPolicy: 'Never', args: [program, ...flags] };
  const spec = {
    serviceAccountName: ACCOUNT,
    terminationGracePeriodSeconds: 1,
    containers: [{ ...container, ...more }],
    volumes: [{ name: 'tls', secret: { secretName: SERVING } }],
  };
  const template = { metadata: { labels }, spec };
  return { ...named('apps/v1', 'Deployment', program), spec: { selector: { matchLabels: labels }, template } };
}
