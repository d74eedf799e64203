// Writes the table of values into the chart's README, between its two marks. Part of `make docs`.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CHART } from './helm.ts';
import { valuesTable } from './values-table.ts';

const readme = join(CHART, 'README.md');
const table = valuesTable(await readFile(join(CHART, 'values.yaml'), 'utf8'));
const text = await readFile(readme, 'utf8');
await writeFile(readme, text.replace(/(<!-- values -->\n\n)[^]*(\n\n<!-- \/values -->)/, `$1${table}$2`));
