// What a panel of the dashboard is, and the queries that several panels share. Knows nothing of Grafana: generate-dashboard.ts puts
// panels into its form.

export interface Query {
  readonly expr: string;
  /** How a series is called: `{{label}}` stands for the value of its label. */
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  /** What it tells, and where to look next. */
  readonly about: string;
  /** A unit of Grafana; `short` is a plain number. */
  readonly unit: 's' | 'bytes' | 'short' | 'ops' | 'reqps' | 'percentunit';
  readonly queries: readonly Query[];
}

/** One number; red from a bound on, or below one. */
export interface Stat extends Panel {
  readonly isBad?: { readonly from: number } | { readonly below: number };
}

export interface Row {
  readonly title: string;
  readonly stats?: readonly Stat[];
  readonly panels: readonly Panel[];
}

const ALL = 'namespace=~"$namespace"';
export const SIGNER = `${ALL},job="signer"`;
export const WEBHOOK = `${ALL},job="webhook"`;
export const BOTH = `${ALL},job=~"signer|webhook"`;

export function perSecond(metric: string, selector: string, by: string): string {
  return `sum by (${by}) (rate(${metric}{${selector}}[$__rate_interval]))`;
}

export function quantile(share: number, metric: string, selector: string, by?: string): string {
  return `histogram_quantile(${share}, ${perSecond(`${metric}_bucket`, selector, by === undefined ? 'le' : `le, ${by}`)})`;
}

export function quantiles(metric: string, selector: string): readonly Query[] {
  return [0.5, 0.9, 0.99].map(share => ({ expr: quantile(share, metric, selector), legend: `p${share * 100}` }));
}
