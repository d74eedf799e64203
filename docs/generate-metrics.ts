// Prints docs/metrics.md from the registries of both services: `node docs/generate-metrics.ts > docs/metrics.md`. Adds nothing
// that the metrics do not say of themselves.

import { createRegistry, createRequestObserver } from '@countersign/common/runtime/metrics.ts';
import { SignerMetrics } from '@countersign/signer/metrics.ts';
import { WebhookMetrics } from '@countersign/webhook/metrics.ts';

type Registry = ReturnType<typeof createRegistry>;

/** What the library knows of a metric but does not put into its types. */
interface Described {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames?: readonly string[];
}

/** The whole of docs/metrics.md. */
export function renderMetrics(): string {
  const signer = registryOf(registry => new SignerMetrics(registry));
  const webhook = registryOf(registry => new WebhookMetrics(registry));
  return `<!-- Made by docs/generate-metrics.ts from the services' own metrics. Do not edit. -->

# Metrics

Both services serve them at \`/metrics\` on \`--http-address\`, beside the process metrics \`process_*\` and \`nodejs_*\`.

## Signer

${renderTable(signer)}
## Webhook

${renderTable(webhook)}`;
}

function registryOf(register: (registry: Registry) => unknown): Registry {
  const registry = createRegistry();
  register(registry);
  createRequestObserver(registry);
  return registry;
}

function renderTable(registry: Registry): string {
  const metrics = registry.getMetricsAsArray() as unknown as Described[];
  const own = metrics.filter(({ name }) => !/^(process|nodejs)_/.test(name));
  const rows = own.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(renderRow);
  return `| Metric | Type | Labels | Tells |\n|---|---|---|---|\n${rows.join('')}`;
}

function renderRow({ name, type, labelNames = [], help }: Described): string {
  const labels = labelNames.map(label => `\`${label}\``).join(', ');
  return `| \`${name}\` | ${type} | ${labels} | ${help} |\n`;
}

if (import.meta.main) process.stdout.write(renderMetrics());
