// The ways of installing the chart that every test of its rendering walks through, as data.

import { CA_BUNDLE, LEAST_VALUES, type Values } from './helm.ts';

export const VARIANTS: Readonly<Record<string, Values>> = {
  least: LEAST_VALUES,
  'webhook by url': { webhook: { url: 'https://127.0.0.1:12345/validate', caBundle: CA_BUNDLE } },
  'caBundle injected': { webhook: { configurationAnnotations: { 'cert-manager.io/inject-ca-from': 'a/b' } } },
  'no Secrets for the webhook': { webhook: { caBundle: CA_BUNDLE, secretWarnings: false } },
  'Secrets of two namespaces': { ...LEAST_VALUES, signer: { secretNamespaces: ['sandbox', 'countersign-system'] } },
  'no CRDs': { ...LEAST_VALUES, crds: { enabled: false } },
  'CRDs not kept': { ...LEAST_VALUES, crds: { keep: false } },
  'long names': { ...LEAST_VALUES, fullnameOverride: 'n'.repeat(48), nameOverride: 'm'.repeat(63) },
  referencers: {
    ...LEAST_VALUES,
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
  },
  everything: {
    nameOverride: 'signer-of-csrs',
    fullnameOverride: 'csrs',
    commonLabels: { team: 'platform', 'app.kubernetes.io/name': 'not-mine' },
    imagePullSecrets: [{ name: 'registry-login' }],
    logLevel: 'debug',
    clusterResourceNamespace: 'cert-manager',
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: [{ key: 'dedicated', operator: 'Exists', effect: 'NoSchedule' }],
    affinity: { nodeAffinity: {} },
    priorityClassName: 'system-cluster-critical',
    signer: {
      replicas: 1,
      image: { repository: 'registry.example.com:5000/a/signer', tag: 'v2', pullPolicy: 'Always' },
      workers: 9,
      issuerStatus: 'never',
      serviceAccount: { name: 'my-signer', annotations: { a: 'b' } },
      podAnnotations: { 'prometheus.io/scrape': 'true' },
      extraArgs: ['--ca-annotation=false'],
      extraEnv: [{ name: 'NODE_OPTIONS', value: '--max-old-space-size=256' }],
    },
    webhook: {
      replicas: 3,
      image: { repository: 'a/webhook', digest: `sha256:${'0'.repeat(64)}` },
      caBundle: CA_BUNDLE,
      tls: { secretName: 'my-tls' },
      serviceAccount: { name: 'my-webhook', annotations: { a: 'b' } },
      podAnnotations: { c: 'd' },
      resources: { requests: { cpu: '1' } },
      extraArgs: ['--drain-delay=5s'],
      extraEnv: [{ name: 'NODE_EXTRA_CA_CERTS', value: '/ca.crt' }],
    },
  },
};
