// Whether this is continuous integration, where a test that is skipped would be a green light that nobody earned.

import type { Environment } from './control-plane/tools.ts';

export function isContinuousIntegration(env: Environment): boolean {
  const { CI: value = '' } = env;
  return value !== '' && value !== 'false';
}

/** For the options of node:test: skips where `found` says what is missing. In CI that is an error instead. */
export function requirementOf(found: object | string, env: Environment = process.env): { readonly skip?: string } {
  if (typeof found !== 'string') return {};
  if (isContinuousIntegration(env)) throw new Error(`In CI no test is skipped, but ${found}`);
  return { skip: found };
}
