// Writes docs/metrics.md from the registries of both services. Adds no more to what the metrics say of themselves than where the
// API server counts.

import { writeFile } from 'node:fs/promises';
import { createRegistry, createRequestObserver } from '@countersign/common/runtime/process/metrics.ts';
import { SignerMetrics } from '@countersign/signer/metrics.ts';
import { WebhookMetrics } from '@countersign/webhook/metrics.ts';

/** What the library knows of a metric but does not put into its types. */
export interface Described {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames?: readonly string[];
}

/** The whole of docs/metrics.md. */
export function renderMetrics(): string {
  return `<!-- Made by tools/docs/generate-metrics.ts from the services' own metrics. Do not edit. -->

# Metrics

Both services serve them at \`/metrics\` on \`--http-address\`, beside the process metrics \`process_*\` and \`nodejs_*\`.

## Signer

${renderTable(describeMetrics('signer'))}
## Webhook

${renderTable(describeMetrics('webhook'))}
What the API server makes of the webhook it counts itself: \`apiserver_admission_webhook_rejection_count{name="requests.countersign.io"}\`
with \`error_type="calling_webhook_error"\` is every CSR that was refused because the webhook could not be asked.
`;
}

/** All that a service serves, by name. */
export function describeMetrics(service: 'signer' | 'webhook'): readonly Described[] {
  const registry = createRegistry();
  if (service === 'signer') new SignerMetrics(registry);
  else new WebhookMetrics(registry);
  createRequestObserver(registry);
  const metrics = registry.getMetricsAsArray() as unknown as Described[];
  return metrics.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function renderTable(metrics: readonly Described[]): string {
  const rows = metrics.filter(({ name }) => !/^(process|nodejs)_/.test(name)).map(renderRow);
  return `| Metric | Type | Labels | Tells |\n|---|---|---|---|\n${rows.join('')}`;
}

function renderRow({ name, type, labelNames = [], help }: Described): string {
  const labels = labelNames.map(label => `\`${label}\``).join(', ');
  return `| \`${name}\` | ${type} | ${labels} | ${help} |\n`;
}

if (import.meta.main) await writeFile(new URL('../../docs/metrics.md', import.meta.url), renderMetrics());
