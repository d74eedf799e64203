// Writes objects as JSON and YAML without any character that a terminal would interpret. Pure.

import { safeJson } from './safe-text.ts';

export type StructuredFormat = 'json' | 'yaml';

export function formatStructured(value: unknown, format: StructuredFormat): string {
  const plain: unknown = JSON.parse(JSON.stringify(value));
  return format === 'json' ? `${safeJson(JSON.stringify(plain, null, 2))}\n` : `${yamlLines(plain, '').join('\n')}\n`;
}

/** Only what JSON has. Every string is quoted as in JSON, which YAML reads too, unless it is a simple word. */
function yamlLines(value: unknown, indent: string): string[] {
  if (Array.isArray(value)) {
    if (value.length === 0) return [`${indent}[]`];
    return value.flatMap(item => entry(`${indent}-`, item, `${indent}  `));
  }
  if (typeof value !== 'object' || value === null) return [`${indent}${scalar(value)}`];
  const members = Object.entries(value);
  if (members.length === 0) return [`${indent}{}`];
  return members.flatMap(([key, item]) => entry(`${indent}${scalar(key)}:`, item, `${indent}  `));
}

/** A list inside a list or a map begins on its own line. */
function entry(head: string, item: unknown, indent: string): string[] {
  const isNested = typeof item === 'object' && item !== null && Object.keys(item).length > 0;
  if (!isNested) return [`${head} ${yamlLines(item, '').join('')}`];
  const lines = yamlLines(item, indent);
  if (!head.endsWith('-')) return [head, ...lines];
  return [`${head} ${lines[0]?.slice(indent.length)}`, ...lines.slice(1)];
}

/** Words that YAML 1.1 readers take for booleans or null. */
const SPECIAL = /^(y|n|yes|no|on|off|true|false|null)$/i;

function scalar(value: unknown): string {
  const isWord = typeof value === 'string' && /^[a-zA-Z][\w./-]*$/.test(value) && !SPECIAL.test(value);
  return isWord ? value : safeJson(JSON.stringify(value));
}
