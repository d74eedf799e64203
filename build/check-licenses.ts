// Fails if package-lock.json has a package whose licence is not on the list of allowed ones. Reads the lock file alone and
// never looks a package up; the packages of this repository are not checked.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './bundle.ts';

/** SPDX ids. */
const ALLOWED: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'PSF-2.0',
  'Unlicense',
]);

/** What is used here of a lock file. Packages copy `license` from their package.json, where it can be anything. */
interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

interface LockedPackage {
  readonly version?: string;
  readonly license?: unknown;
  readonly link?: boolean;
}

/** `name@version: licence` of each package that may not be used. */
export function findForbiddenLicenses(lock: LockFile): readonly string[] {
  return Object.entries(lock.packages)
    .filter(([path, { link }]) => path.includes('node_modules/') && link !== true)
    .filter(([, { license }]) => !isAllowed(license))
    .map(([path, { version, license }]) => `${nameOf(path)}@${version}: ${JSON.stringify(license) ?? 'no licence'}`);
}

/** Of an SPDX expression, one alternative is enough, and all its parts count. Nested ones are refused, not worked out. */
function isAllowed(license: unknown): boolean {
  if (typeof license !== 'string') return false;
  const expression = license.replace(/^\(([^()]*)\)$/, '$1');
  if (/[()]/.test(expression)) return false;
  return expression.split(' OR ').some(alternative => alternative.split(' AND ').every(id => ALLOWED.has(id)));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

async function main(): Promise<void> {
  const forbidden = findForbiddenLicenses(JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')));
  if (forbidden.length === 0) return;
  process.stderr.write(`package-lock.json has packages whose licence is not allowed:
  ${forbidden.join('\n  ')}
Use another package. If the licence is acceptable, add its SPDX id to ALLOWED in build/check-licenses.ts.\n`);
  process.exitCode = 1;
}

if (import.meta.main) await main();
