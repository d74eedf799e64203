// Reads what `status` judges. What the user may not read becomes a finding of its own. Changes nothing.

import { type Issuer, toIssuer } from '@countersign/common/issuers/issuer.ts';
import { signingSecret } from '@countersign/common/issuers/issuer-types.ts';
import { readSecretCertificates } from '../authority/secret-certificates.ts';
import type { Api } from '../cluster/api.ts';
import { type Known, unlessForbidden } from '../cluster/known.ts';
import type { Finding } from './finding.ts';
import { isSignedHere, issuerFinding } from './issuer-findings.ts';
import { expiriesOf, findWebhook, type WebhookConfiguration, webhookFindings } from './webhook-findings.ts';
import { type Deployment, deploymentFindings, type Lease, leaseFinding } from './workload-findings.ts';

interface List<T> {
  readonly items?: readonly T[];
}

export async function gatherStatus(api: Api, namespace: string, now: Date): Promise<readonly Finding[]> {
  const inNamespace = `namespaces/${encodeURIComponent(namespace)}`;
  const [webhooks, deployments, lease, issuers] = await Promise.all([
    list<WebhookConfiguration>(api, '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations'),
    list<Deployment>(
      api,
      `/apis/apps/v1/${inNamespace}/deployments?labelSelector=app.kubernetes.io%2Fpart-of%3Dcountersign`,
    ),
    unlessForbidden(
      api.get<Lease>(`/apis/coordination.k8s.io/v1/${inNamespace}/leases/countersign-signer`),
      'get leases',
    ),
    gatherIssuers(api, namespace, now),
  ]);
  return [
    ...orUnknown('webhook', webhooks, found => webhookFindings(findWebhook(found), now)),
    ...orUnknown('deployments', deployments, found => deploymentFindings(found, namespace)),
    ...orUnknown('leader', lease, found => [leaseFinding(found, now)]),
    ...issuers,
  ];
}

function list<T>(api: Api, path: string): Promise<Known<readonly T[]>> {
  const resource = path.split('?')[0]?.split('/').at(-1) ?? '';
  const read = async () => (await api.send<List<T>>({ method: 'GET', path })).body.items ?? [];
  return unlessForbidden(read(), `list ${resource}`);
}

function orUnknown<T>(what: string, known: Known<T>, judge: (value: T) => readonly Finding[]): readonly Finding[] {
  return known.known ? judge(known.value) : [{ what, state: 'unknown', text: known.why }];
}

async function gatherIssuers(api: Api, namespace: string, now: Date): Promise<readonly Finding[]> {
  const found = await Promise.all(
    ['issuers', 'clusterissuers'].map(resource => list<unknown>(api, `/apis/cert-manager.io/v1/${resource}`)),
  );
  const findings: Finding[] = [];
  for (const known of found) {
    if (!known.known) findings.push({ what: 'issuers', state: 'unknown', text: known.why });
    const issuers = known.known ? known.value.map(toIssuer).filter(isSignedHere) : [];
    for (const issuer of issuers)
      findings.push(issuerFinding({ issuer, expiry: await readExpiry(api, issuer, namespace) }, now));
  }
  return findings;
}

/** The Secrets of ClusterIssuers are in the namespace of Countersign. */
async function readExpiry(api: Api, { metadata, spec }: Issuer, namespace: string): Promise<Date | undefined> {
  const secret = signingSecret(spec, undefined);
  if (secret?.holdsCa !== true) return undefined;
  const read = await readSecretCertificates(api, metadata.namespace ?? namespace, secret.name);
  return read.known ? expiriesOf(read.value?.chain ?? '')[0] : undefined;
}
