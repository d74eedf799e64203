// Judges the webhook: its configuration, the CA that the API server trusts, and its endpoints. Pure.

import { X509Certificate } from 'node:crypto';
import { expiryFinding, type Finding } from './finding.ts';

/** admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration, the fields that are used. */
export interface WebhookConfiguration {
  readonly metadata: { readonly name: string };
  readonly webhooks?: readonly Webhook[];
}

interface Webhook {
  readonly name: string;
  readonly failurePolicy?: string;
  readonly clientConfig: {
    readonly caBundle?: string;
    readonly url?: string;
    readonly service?: { readonly namespace: string; readonly name: string };
  };
}

export const WEBHOOK_NAME = 'requests.countersign.io';

export function findWebhook(configurations: readonly WebhookConfiguration[]): Webhook | undefined {
  return configurations.flatMap(({ webhooks = [] }) => webhooks).find(({ name }) => name === WEBHOOK_NAME);
}

export function webhookFindings(webhook: Webhook | undefined, now: Date): readonly Finding[] {
  if (webhook === undefined) {
    const text = `no ValidatingWebhookConfiguration has ${WEBHOOK_NAME}: requests are not checked when they are created`;
    return [{ what: 'webhook', state: 'bad', text }];
  }
  const { failurePolicy = 'Fail', clientConfig } = webhook;
  const target = clientConfig.url ?? `Service ${clientConfig.service?.namespace}/${clientConfig.service?.name}`;
  const isStrict = failurePolicy === 'Fail';
  const policy = isStrict ? '' : `; failurePolicy ${failurePolicy}: requests pass unchecked if it does not answer`;
  return [
    { what: 'webhook', state: isStrict ? 'ok' : 'warning', text: `${target}${policy}` },
    ...bundleFindings(clientConfig.caBundle, now),
  ];
}

/** While a CA is replaced, the bundle has two; one that is valid is enough. */
function bundleFindings(caBundle: string | undefined, now: Date): readonly Finding[] {
  const what = 'webhook caBundle';
  if (!caBundle) return [{ what, state: 'bad', text: 'empty: the API server cannot verify the webhook' }];
  const expiries = expiriesOf(Buffer.from(caBundle, 'base64').toString());
  const [last] = expiries.toSorted((a, b) => b.getTime() - a.getTime());
  return [
    last === undefined ? { what, state: 'bad', text: 'has no readable certificate' } : expiryFinding(what, last, now),
  ];
}

/** notAfter of each certificate that can be read. */
export function expiriesOf(pem: string): readonly Date[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.flatMap(block => {
    try {
      return [new X509Certificate(block).validToDate];
    } catch {
      return [];
    }
  });
}
