// What runs in the namespace team: Deployments whose pods have a certificate and the trust anchors of its issuer as
// files, Services, and the right of a ServiceAccount to use the issuer. Manifests only.

export const TEAM = 'team';
export const PEER_IMAGE = 'localhost/countersign-podpeer:1';

/** Files of a pod. */
export const CREDENTIALS = '/certificate/credentials.pem';
export const ANCHORS = '/anchors/anchors.pem';

/** Ports of a pod: mTLS, and plain HTTP for the tests. */
export const PORT = 8443;
export const STATUS_PORT = 8080;

export interface Workload {
  /** Also of the ServiceAccount, of the Service and of the pods' label `app`. */
  readonly name: string;
  readonly signerName: string;
  readonly args: readonly string[];
  readonly replicas?: number;
  /** Port that answers when the pod is ready. */
  readonly readyPort?: number;
  /** Addresses of the names of Services: no names are looked up on this node. */
  readonly hosts?: Readonly<Record<string, string>>;
}

export function deployment(workload: Workload) {
  const { name, replicas = 1 } = workload;
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace: TEAM, name },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec(workload) } },
  };
}

function podSpec({ name, signerName, args, readyPort, hosts = {} }: Workload) {
  return {
    serviceAccountName: name,
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 1,
    hostAliases: Object.entries(hosts).map(([host, ip]) => ({ ip, hostnames: [host] })),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65_532,
      fsGroup: 65_532,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        name: 'peer',
        image: PEER_IMAGE,
        imagePullPolicy: 'Never',
        args,
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        volumeMounts: [
          { name: 'certificate', mountPath: '/certificate', readOnly: true },
          { name: 'anchors', mountPath: '/anchors', readOnly: true },
        ],
        ...(readyPort !== undefined && { readinessProbe: { tcpSocket: { port: readyPort }, periodSeconds: 1 } }),
      },
    ],
    // Two volumes: the sources of one are written together or not at all.
    volumes: [
      { name: 'certificate', projected: { sources: [{ podCertificate: certificateSource(signerName) }] } },
      {
        name: 'anchors',
        projected: { sources: [{ clusterTrustBundle: { signerName, labelSelector: {}, path: 'anchors.pem' } }] },
      },
    ],
  };
}

function certificateSource(signerName: string) {
  return {
    signerName,
    keyType: 'ECDSAP256',
    credentialBundlePath: 'credentials.pem',
    maxExpirationSeconds: 3_600,
    // The Service is called as the ServiceAccount is.
    userAnnotations: { 'pods.countersign.io/dns-names': `\${SERVICE_ACCOUNT_NAME}.\${POD_NAMESPACE}.svc` },
  };
}

/** At a fixed address, for pods that are not ready as well: whether they are is not what the tests are about. */
export function service(name: string, clusterIP: string) {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: TEAM, name },
    spec: { clusterIP, selector: { app: name }, ports: [{ port: PORT }], publishNotReadyAddresses: true },
  };
}

export function serviceAccount(name: string) {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: TEAM, name } };
}

export function serviceHost(name: string): string {
  return `${name}.${TEAM}.svc`;
}

export function spiffeId(name: string): string {
  return `spiffe://cluster.local/ns/${TEAM}/sa/${name}`;
}

/** The right of a ServiceAccount of the namespace team to use sandbox/my-issuer: a Role and its RoleBinding. */
export function grant(account: string): readonly object[] {
  const metadata = { namespace: 'sandbox', name: `pods-${account}` };
  const rule = { apiGroups: ['cert-manager.io'], resources: ['signers'], verbs: ['reference'] };
  return [
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata,
      rules: [{ ...rule, resourceNames: ['my-issuer'] }],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: metadata.name },
      subjects: [{ kind: 'ServiceAccount', namespace: TEAM, name: account }],
    },
  ];
}
