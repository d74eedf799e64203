// Runs `make audit` with the real npm against registries that answer audits, reject them or are unreachable.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const AUDIT = fileURLToPath(new URL('../../../build/audit.ts', import.meta.url));
const ADVISORY = '/-/npm/v1/security/advisories/bulk';
const VERSION = '1.0.0';

/**
 * Starts a registry that answers with the given status. If a severity is given, it reports one vulnerability in undici.
 */
async function audit(registry: {
  status: number;
  severity?: string;
}): Promise<{ code: number | null; output: string }> {
  const { status, severity } = registry;
  const advisory = { id: 1, url: 'https://example.com/1', title: 'a title', severity, vulnerable_versions: '*' };
  const server = createServer((request, response) => {
    response.statusCode = status;
    const found = severity === undefined ? {} : { undici: [advisory] };
    const name = decodeURIComponent(request.url?.slice(1) ?? '');
    const packument = { name, versions: { [VERSION]: { name, version: VERSION } } };
    response.end(JSON.stringify(request.url === ADVISORY ? found : packument));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await runAudit((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function runAudit(port: number): Promise<{ code: number | null; output: string }> {
  const cache = await mkdtemp(join(tmpdir(), 'countersign-audit-'));
  const env = { ...process.env, npm_config_registry: `http://127.0.0.1:${port}/`, npm_config_cache: cache };
  try {
    const child = spawn(process.execPath, [AUDIT], { env });
    const ended = once(child, 'close');
    const texts = await Promise.all([text(child.stdout), text(child.stderr)]);
    const [code] = await ended;
    return { code, output: texts.join('') };
  } finally {
    await rm(cache, { recursive: true });
  }
}

test('packages without a known vulnerability pass the audit', async () => {
  const { code, output } = await audit({ status: 200 });
  assert.equal(code, 0, output);
  assert.match(output, /found 0 vulnerabilities/);
});

for (const [severity, expected] of [
  ['moderate', 0],
  ['high', 1],
  ['critical', 1],
] as const) {
  test(`a vulnerability of severity ${severity} is shown and the audit exits with ${expected}`, async () => {
    const { code, output } = await audit({ status: 200, severity });
    assert.equal(code, expected, output);
    assert.match(output, /a title/);
  });
}

test('a registry without audit support is reported but does not fail the audit', async () => {
  const { code, output } = await audit({ status: 405 });
  assert.equal(code, 0, output);
  assert.match(output, /405[\s\S]*The packages were not audited/);
});

test('an unreachable registry is reported but does not fail the audit', async () => {
  const { code, output } = await runAudit(9);
  assert.equal(code, 0, output);
  assert.match(output, /ECONNREFUSED[\s\S]*The packages were not audited/);
});
