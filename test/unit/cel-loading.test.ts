// The CEL library takes time and memory: signer and webhook load it only when they evaluate approval policies, which is
// a dynamic import.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';

const SERVICES = new URL('../../services', import.meta.url).pathname;

/** The files that are loaded with the given one, and the packages that they import. */
function loadedWith(path: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(path)) return found;
  found.add(path);
  const code = readFileSync(path, 'utf8');
  for (const [, names = '', from = ''] of code.matchAll(/^import (?!type )([^;]*?)from '([^']+)';/gm)) {
    const isForTypes =
      /^\{[^}]*\}\s*$/.test(names) && names.split(',').every(name => /^[{\s]*(type |[}\s]*$)/.test(name));
    if (isForTypes) continue;
    const file = from.startsWith('.') ? join(dirname(path), from) : from.replace(/^@countersign/, SERVICES);
    if (file.startsWith(SERVICES)) loadedWith(file, found);
    else found.add(from);
  }
  return found;
}

const loadsCel = (service: string) =>
  [...loadedWith(join(SERVICES, service, 'main.ts'))].some(name => name.startsWith('@bufbuild/'));

describe('CEL is loaded at start', () => {
  it('by the approver', () => assert.ok(loadsCel('approver')));
  for (const service of ['signer', 'webhook']) {
    it(`not by the ${service}`, () => assert.ok(!loadsCel(service)));
  }
});
