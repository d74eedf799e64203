// Writes what the compose stack installs (compose/manifests.json) anew from the chart. Never touches a cluster.

import { writeFile } from 'node:fs/promises';
import { MANIFESTS, renderComposeManifests } from './compose-manifests.ts';

await writeFile(MANIFESTS, await renderComposeManifests());
