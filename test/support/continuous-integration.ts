// Detects CI, where tests must not be skipped.

import type { Environment } from './control-plane/tools.ts';

export function isContinuousIntegration(env: Environment): boolean {
  const { CI: value = '' } = env;
  return value !== '' && value !== 'false';
}

/** Options for node:test: skip if `found` says what is missing. In CI that is an error. */
export function requirementOf(found: object | string, env: Environment = process.env): { readonly skip?: string } {
  if (typeof found !== 'string') return {};
  if (isContinuousIntegration(env)) throw new Error(`Tests must not be skipped in CI, but ${found}`);
  return { skip: found };
}
