// Writes the chart's Grafana dashboard (charts/countersign/files/dashboard.json). Defines the style and layout of
// panels, not what they show.

import { writeFile } from 'node:fs/promises';
import {
  BigValueColorMode,
  type DataSourceRef,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { Panel, Query, Row, Stat } from '../../docs/dashboard/panel.ts';
import { ROWS } from '../../docs/dashboard/rows.ts';

const DATASOURCE: DataSourceRef = { type: 'prometheus', uid: '$datasource' };
/** Widths, in Grafana's 24 columns. */
const STAT_SPAN = 4;
const PANEL_SPAN = 8;

/** The content of charts/countersign/files/dashboard.json. */
export function renderDashboard(): string {
  const dashboard = new DashboardBuilder('Countersign')
    .uid('countersign')
    .description(
      'Late certificates and their causes, admission decisions, approval by policy, and the health of the services.',
    )
    .tags(['countersign', 'kubernetes', 'certificates'])
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: 'now-3h', to: 'now' })
    .refresh('30s')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .withVariable(namespaceVariable());
  for (const [index, row] of ROWS.entries()) addRow(dashboard, row, 100 * (index + 1));
  return `${JSON.stringify(dashboard.build(), null, 2)}\n`;
}

/** All is a pattern that also matches series without the label. */
function namespaceVariable(): QueryVariableBuilder {
  return new QueryVariableBuilder('namespace')
    .label('Namespace')
    .datasource(DATASOURCE)
    .query('label_values(countersign_clock_offset_seconds, namespace)')
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .includeAll(true)
    .allValue('.*')
    .current({ text: 'All', value: '$__all' });
}

/** Its panels are numbered from `id`. */
function addRow(dashboard: DashboardBuilder, { title, stats = [], panels }: Row, id: number): void {
  dashboard.withRow(new RowBuilder(title).id(id));
  const all = [...stats.map(statPanel), ...panels.map(timePanel)];
  for (const [index, panel] of all.entries()) dashboard.withPanel(panel.id(id + index + 1));
}

function statPanel({ title, about, unit, queries, isBad }: Stat): StatBuilder {
  const panel = new StatBuilder()
    .title(title)
    .description(about)
    .datasource(DATASOURCE)
    .unit(unit)
    .thresholds(thresholds(isBad))
    .colorMode(BigValueColorMode.Background)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .span(STAT_SPAN)
    .height(4);
  for (const [index, query] of queries.entries()) panel.withTarget(target(query, index).instant());
  return panel;
}

function thresholds(isBad: Stat['isBad']): ThresholdsConfigBuilder {
  const steps = new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute);
  if (isBad === undefined) return steps.steps([{ value: null, color: 'blue' }]);
  const [base, bound, beyond] =
    'from' in isBad ? (['green', isBad.from, 'red'] as const) : (['red', isBad.below, 'green'] as const);
  return steps.steps([
    { value: null, color: base },
    { value: bound, color: beyond },
  ]);
}

function timePanel({ title, about, unit, queries }: Panel): TimeseriesBuilder {
  const legend = new VizLegendOptionsBuilder()
    .displayMode(LegendDisplayMode.List)
    .placement(LegendPlacement.Bottom)
    .showLegend(true);
  const panel = new TimeseriesBuilder()
    .title(title)
    .description(about)
    .datasource(DATASOURCE)
    .unit(unit)
    .min(0)
    .fillOpacity(10)
    .legend(legend)
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi))
    .span(PANEL_SPAN)
    .height(8);
  for (const [index, query] of queries.entries()) panel.withTarget(target(query, index));
  return panel;
}

function target({ expr, legend }: Query, index: number): DataqueryBuilder {
  const refId = 'ABCDEFGH'.charAt(index);
  return new DataqueryBuilder().datasource(DATASOURCE).refId(refId).expr(expr).legendFormat(legend);
}

const FILE = new URL('../../charts/countersign/files/dashboard.json', import.meta.url);
if (import.meta.main) await writeFile(FILE, renderDashboard());
