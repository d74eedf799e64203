// Writes the CAs of the webhook's certificates into its own ValidatingWebhookConfiguration, and nothing else into it. A write
// on an old version conflicts and is tried again by the caller.

import type { KubeClient } from '@countersign/common/runtime/kube-client.ts';

/** admissionregistration.k8s.io/v1; whatever else is in it is kept as it is. */
interface WebhookConfiguration {
  readonly metadata: { readonly name: string; readonly resourceVersion?: string };
  readonly webhooks?: readonly {
    readonly name: string;
    readonly clientConfig: { readonly caBundle?: string };
  }[];
}

/** Puts `bundle` (PEM) into every webhook of the configuration. Gives false if there is no such configuration yet. */
export async function publishCaBundle(
  client: Pick<KubeClient, 'get' | 'update'>,
  name: string,
  bundle: string,
): Promise<boolean> {
  const path = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${encodeURIComponent(name)}`;
  const found = await client.get<WebhookConfiguration>(path);
  if (found === undefined) return false;
  const caBundle = Buffer.from(bundle).toString('base64');
  const webhooks = found.webhooks ?? [];
  if (webhooks.every(({ clientConfig }) => clientConfig.caBundle === caBundle)) return true;
  const changed = webhooks.map(webhook => ({ ...webhook, clientConfig: { ...webhook.clientConfig, caBundle } }));
  await client.update(`${path}?fieldManager=countersign-webhook`, { ...found, webhooks: changed });
  return true;
}
