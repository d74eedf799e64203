// Writes the CAs of the webhook's certificates into its own ValidatingWebhookConfiguration, and nothing else into it. A write
// on an old version conflicts and is tried again by the caller.

import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';

/** admissionregistration.k8s.io/v1; whatever else is in it is kept as it is. */
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

/** undefined if there is no such configuration yet. */
export function readConfiguration(
  client: Pick<KubeClient, 'get'>,
  name: string,
): Promise<WebhookConfiguration | undefined> {
  return client.get<WebhookConfiguration>(pathOf(name));
}

/** What the API server trusts now, as text that should be PEM. */
export function readCaBundles({ webhooks = [] }: WebhookConfiguration): string {
  const bundles = new Set(webhooks.map(({ clientConfig }) => clientConfig.caBundle ?? ''));
  return [...bundles].map(bundle => Buffer.from(bundle, 'base64').toString()).join('\n');
}

/** Puts `bundle` (PEM) into every webhook of the configuration, if it is not there. */
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
