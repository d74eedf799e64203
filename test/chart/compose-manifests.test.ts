// The manifests of the compose stack.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { MANIFESTS, renderComposeManifests } from './compose-manifests.ts';

test('compose/manifests.json is up to date with the chart (run `make docs`)', async () => {
  const isFresh = (await readFile(MANIFESTS, 'utf8')) === (await renderComposeManifests());
  assert.ok(isFresh, 'compose/manifests.json is out of date: run `make docs`');
});
