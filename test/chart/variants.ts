// The sets of values with which the tests render the chart.

import { GIVEN_CERTIFICATE, LEAST_VALUES, type Values } from './helm.ts';

export const VARIANTS: Readonly<Record<string, Values>> = {
  least: LEAST_VALUES,
  'webhook by url': { webhook: { url: 'https://127.0.0.1:12345/validate' } },
  'provided certificate': { webhook: { certificate: GIVEN_CERTIFICATE } },
  'caBundle injected': {
    webhook: {
      certificate: { mode: 'secret' },
      configurationAnnotations: { 'cert-manager.io/inject-ca-from': 'a/b' },
    },
  },
  'client certificates': { webhook: { clientCaConfigMap: 'api-server-ca' } },
  'approval policies at creation': { webhook: { approvalPolicies: 'deny' } },
  'Secrets for the webhook': { webhook: { secretWarnings: true } },
  'Secrets of two namespaces': {
    signer: { secretNamespaces: ['sandbox', 'countersign-system'] },
    webhook: { secretWarnings: true },
  },
  'annotations patched': { signer: { patchAnnotations: true } },
  'no CRDs': { crds: { enabled: false } },
  'CRDs not kept': { crds: { keep: false } },
  'no roles': { rbac: { create: false } },
  'no aggregated roles': { rbac: { aggregateClusterRoles: false } },
  'other ServiceAccounts': {
    signer: { serviceAccount: { create: false, name: 'mine' } },
    webhook: { serviceAccount: { create: false, name: 'mine' } },
  },
  'private cluster': {
    podSecurityContext: { runAsUser: null, runAsGroup: null, fsGroup: null },
    webhook: { hostNetwork: true, port: 10250, httpPort: 10251, preStopSeconds: 0 },
  },
  'open webhook': {
    webhook: {
      failurePolicy: 'Ignore',
      timeoutSeconds: 10,
      objectSelector: { matchLabels: { a: 'b' }, matchExpressions: [{ key: 'c', operator: 'Exists' }] },
      matchConditions: [{ name: 'not-from-x', expression: "request.userInfo.username != 'x'" }],
    },
  },
  'admission policy': { admissionPolicy: { enabled: true } },
  policy: {
    admissionPolicy: { enabled: true },
    policy: {
      maxDuration: '720h',
      authorizeClusterIssuers: true,
      honourNameConstraints: false,
      clampToCa: true,
      refuseExpiredCa: true,
      backdate: '5m',
      leafKeyIdentifier: true,
      rootInChain: true,
      requireApprovalPolicy: true,
      vaultServers: ['vault.example.com', '*.vault.example.com:8200'],
    },
  },
  'policies for pods': { podCertificates: { admissionPolicies: { install: 'always' } } },
  'no certificates for pods': { podCertificates: { enabled: false } },
  delegation: { delegation: { enabled: true } },
  'delegation with approval': { delegation: { enabled: true, approve: true } },
  'external issuers': {
    admissionPolicy: { enabled: true },
    policy: { authorizeClusterIssuers: true },
    delegation: {
      enabled: true,
      approve: true,
      externalIssuers: [
        { name: 'thingissuers.things.example.com', kind: 'ThingIssuer', scope: 'Namespaced' },
        { name: 'thingclusterissuers.things.example.com', kind: 'ThingClusterIssuer', scope: 'Cluster' },
      ],
    },
    referencers: [
      {
        type: 'thingissuers.things.example.com',
        namespace: 'sandbox',
        issuer: 'my-issuer',
        subjects: [{ kind: 'User', name: 'jane' }],
      },
    ],
    clusterReferencers: [
      {
        type: 'thingclusterissuers.things.example.com',
        issuer: 'my-issuer',
        subjects: [{ kind: 'User', name: 'jane' }],
      },
    ],
    approver: { enabled: true, signerNames: ['thingissuers.things.example.com/*'] },
  },
  'network policy': { networkPolicy: { enabled: true } },
  PodMonitor: { monitor: { kind: 'PodMonitor' } },
  approver: { approver: { enabled: true, signerNames: ['issuers.cert-manager.io/*'] } },
  'no PodDisruptionBudgets': {
    signer: { podDisruptionBudget: { enabled: false } },
    webhook: { podDisruptionBudget: { enabled: false } },
  },
  'long names': { admissionPolicy: { enabled: true }, fullnameOverride: 'n'.repeat(48), nameOverride: 'm'.repeat(63) },
  'Vault by ServiceAccounts': {
    networkPolicy: { enabled: true, vault: { ports: [8200], to: [{ ipBlock: { cidr: '10.0.0.9/32' } }] } },
    vaultServiceAccounts: [{ namespace: 'sandbox', names: ['vault-issuer', 'other'] }],
  },
  referencers: {
    referencers: [
      {
        namespace: 'sandbox',
        issuer: 'my-issuer',
        subjects: [
          { kind: 'User', name: 'oidc:jane@example.com' },
          { kind: 'Group', name: 'platform' },
          { kind: 'ServiceAccount', name: 'builder', namespace: 'ci' },
        ],
      },
      { namespace: 'sandbox', issuer: '*', subjects: [{ kind: 'ServiceAccount', name: 'any' }] },
    ],
    clusterReferencers: [
      {
        issuer: 'my-cluster-issuer',
        subjects: [
          { kind: 'Group', name: 'system:serviceaccounts:team' },
          { kind: 'ServiceAccount', name: 'web', namespace: 'team' },
        ],
      },
      { issuer: '*', subjects: [{ kind: 'User', name: 'jane' }] },
    ],
  },
  everything: {
    nameOverride: 'signer-of-csrs',
    fullnameOverride: 'csrs',
    commonLabels: { team: 'platform', tier: 'control', 'app.kubernetes.io/name': 'not-mine' },
    imagePullSecrets: [{ name: 'registry-login' }],
    logLevel: 'debug',
    clusterResourceNamespace: 'cert-manager',
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: [{ key: 'dedicated', operator: 'Exists', effect: 'NoSchedule' }],
    affinity: { nodeAffinity: {} },
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
      {
        maxSkew: 2,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: { matchLabels: { a: 'b' } },
      },
    ],
    priorityClassName: 'system-cluster-critical',
    admissionPolicy: { enabled: true },
    podCertificates: {
      trustDomain: 'prod.example.com',
      clusterDomain: 'cluster.example.com',
      maxDuration: '2184h',
      backdate: '4m',
      admissionPolicies: { install: 'always' },
    },
    networkPolicy: {
      enabled: true,
      admissionFrom: [{ ipBlock: { cidr: '10.0.0.1/32' } }],
      metricsFrom: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
      apiServer: { ports: [6443], cidrs: ['10.0.0.1/32', 'fd00::1/128'] },
    },
    monitor: { kind: 'ServiceMonitor', interval: '30s', labels: { release: 'prometheus' } },
    alerts: { enabled: true, labels: { release: 'prometheus' } },
    dashboard: { enabled: true, annotations: { grafana_folder: 'Certificates' } },
    signer: {
      replicas: 1,
      image: { repository: 'registry.example.com:5000/a/signer', tag: 'v2', pullPolicy: 'Always' },
      workers: 9,
      issuerStatus: 'never',
      serviceAccount: { name: 'my-signer', annotations: { a: 'b' } },
      podAnnotations: { 'prometheus.io/scrape': 'true' },
      podLabels: { mesh: 'out', team: 'signing' },
      extraArgs: ['--ca-annotation=false'],
      extraEnv: [{ name: 'NODE_OPTIONS', value: '--max-old-space-size=256' }],
      extraVolumes: [{ name: 'cas', configMap: { name: 'cas' } }],
      extraVolumeMounts: [{ name: 'cas', mountPath: '/cas' }],
      podDisruptionBudget: { maxUnavailable: '50%' },
    },
    webhook: {
      replicas: 3,
      image: { repository: 'a/webhook', digest: `sha256:${'0'.repeat(64)}` },
      certificate: { ...GIVEN_CERTIFICATE, secretName: 'my-tls' },
      readinessProbe: { periodSeconds: 1 },
      serviceAccount: { name: 'my-webhook', annotations: { a: 'b' } },
      podAnnotations: { c: 'd' },
      podLabels: { mesh: 'out', team: 'signing' },
      resources: { requests: { cpu: '1' } },
      extraArgs: ['--drain-delay=5s'],
      extraEnv: [{ name: 'NODE_EXTRA_CA_CERTS', value: '/ca.crt' }],
    },
    approver: {
      enabled: true,
      signerNames: ['issuers.cert-manager.io/*', 'clusterissuers.cert-manager.io/company'],
      serviceAccount: { name: 'my-approver', annotations: { a: 'b' } },
      podLabels: { mesh: 'out', team: 'signing' },
      extraArgs: ['--kubeconfig=/x'],
    },
  },
};
