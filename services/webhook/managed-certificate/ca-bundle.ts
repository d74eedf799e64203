// Writes the caBundle of the webhook's own ValidatingWebhookConfiguration, and nothing else in it. A write to a stale
// version conflicts, and the caller retries.

import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';

/** admissionregistration.k8s.io/v1; all other fields are kept unchanged. */
export interface WebhookConfiguration {
  readonly metadata: { readonly name: string; readonly resourceVersion?: string };
  readonly webhooks?: readonly {
    readonly name: string;
    readonly clientConfig: { readonly caBundle?: string };
  }[];
}

function pathOf(name: string): string {
  return `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${encodeURIComponent(name)}`;
}

/** undefined if the configuration does not exist. */
export function readConfiguration(
  client: Pick<KubeClient, 'get'>,
  name: string,
): Promise<WebhookConfiguration | undefined> {
  return client.get<WebhookConfiguration>(pathOf(name));
}

/** The CA bundles that the API server trusts now; should be PEM. */
export function readCaBundles({ webhooks = [] }: WebhookConfiguration): string {
  const bundles = new Set(webhooks.map(({ clientConfig }) => clientConfig.caBundle ?? ''));
  return [...bundles].map(bundle => Buffer.from(bundle, 'base64').toString()).join('\n');
}

/** Sets the caBundle of every webhook in the configuration to `bundle` (PEM), unless it is set already. */
export async function publishCaBundle(
  client: Pick<KubeClient, 'update'>,
  found: WebhookConfiguration,
  bundle: string,
): Promise<void> {
  const caBundle = Buffer.from(bundle).toString('base64');
  const webhooks = found.webhooks ?? [];
  if (webhooks.every(({ clientConfig }) => clientConfig.caBundle === caBundle)) return;
  const changed = webhooks.map(webhook => ({ ...webhook, clientConfig: { ...webhook.clientConfig, caBundle } }));
  const path = `${pathOf(found.metadata.name)}?fieldManager=countersign-webhook`;
  await client.update(path, { ...found, webhooks: changed });
}
