// Writes the table of values to the chart's README, between two markers. Part of `make docs`.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CHART } from './helm.ts';
import { valuesTable } from './values-table.ts';

const readme = join(CHART, 'README.md');
const table = valuesTable(await readFile(join(CHART, 'values.yaml'), 'utf8'));
const text = await readFile(readme, 'utf8');
await writeFile(readme, text.replace(/(<!-- values -->\n\n)[^]*(\n\n<!-- \/values -->)/, `$1${table}$2`));
