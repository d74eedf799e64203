// Patterns of allowed values: `*` matches any characters, none and dots included, as in approver-policy;
// `{{namespace}}` and `{{serviceAccount}}` stand for the requester's ServiceAccount. Matching takes linear time in the
// number of wildcards. Pure.

import { err, ok, type Result } from '../../result.ts';
import type { ServiceAccount } from '../request/service-account.ts';

export interface Pattern {
  readonly text: string;
  /** The literal texts between the wildcards. */
  readonly parts: readonly string[];
  readonly hasTemplate: boolean;
}

const TEMPLATE = /\{\{\s*(.*?)\s*\}\}/g;
const TEMPLATES: ReadonlySet<string> = new Set(['namespace', 'serviceAccount']);

export function parsePattern(text: string): Result<Pattern> {
  const templates = [...text.matchAll(TEMPLATE)].map(([, name = '']) => name);
  const unknown = templates.find(name => !TEMPLATES.has(name));
  if (unknown !== undefined) {
    return err(`unknown template {{${unknown}}}: use {{namespace}} or {{serviceAccount}}`);
  }
  return ok({ text, parts: text.split('*'), hasTemplate: templates.length > 0 });
}

/** A pattern with a template matches nothing unless the requester is a ServiceAccount. */
export function matchesPattern({ parts, hasTemplate }: Pattern, value: string, account?: ServiceAccount): boolean {
  if (!hasTemplate) return matchesParts(parts, value);
  return account !== undefined && matchesParts(expandAll(parts, account), value);
}

/** Names of namespaces and ServiceAccounts contain no wildcards. */
function expandAll(parts: readonly string[], account: ServiceAccount): readonly string[] {
  return parts.map(part => expand(part, account));
}

function expand(text: string, { namespace, name }: ServiceAccount): string {
  return text.replace(TEMPLATE, (_, template: string) => (template === 'namespace' ? namespace : name));
}

/** The pattern for messages: with the requester's names where there are any. */
export function showPattern({ text }: Pattern, account?: ServiceAccount): string {
  return account === undefined ? text : expand(text, account);
}

/** The first part at the beginning, the last at the end, the others in between, each as early as possible. */
function matchesParts(parts: readonly string[], value: string): boolean {
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  if (parts.length === 1) return value === first;
  const end = value.length - last.length;
  if (end < first.length || !value.startsWith(first) || !value.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = value.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
