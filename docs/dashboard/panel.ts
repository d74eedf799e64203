// Types of the dashboard's panels, and the queries that several panels share. Independent of Grafana:
// generate-dashboard.ts converts panels to its model.

export interface Query {
  readonly expr: string;
  /** Name of a series: `{{label}}` is replaced by the value of the label. */
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  /** What it shows, and where to look next. */
  readonly about: string;
  /** A unit of Grafana; `short` is a plain number. */
  readonly unit: 's' | 'bytes' | 'short' | 'ops' | 'reqps' | 'percentunit';
  readonly queries: readonly Query[];
}

/** A single number, red at or above a threshold, or below one. */
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
export const APPROVER = `${ALL},job="approver"`;
export const SERVICES = `${ALL},job=~"signer|webhook|approver"`;

export function perSecond(metric: string, selector: string, by: string): string {
  return `sum by (${by}) (rate(${metric}{${selector}}[$__rate_interval]))`;
}

export function quantile(share: number, metric: string, selector: string, by?: string): string {
  return `histogram_quantile(${share}, ${perSecond(`${metric}_bucket`, selector, by === undefined ? 'le' : `le, ${by}`)})`;
}

export function quantiles(metric: string, selector: string): readonly Query[] {
  return [0.5, 0.9, 0.99].map(share => ({ expr: quantile(share, metric, selector), legend: `p${share * 100}` }));
}
