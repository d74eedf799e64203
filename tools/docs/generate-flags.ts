// Writes docs/flags.md from the option tables of the services. Adds nothing that the tables do not say.

import { writeFile } from 'node:fs/promises';
import { OPTIONS as APPROVER_OPTIONS } from '@countersign/approver/options.ts';
import { COMMON_OPTIONS } from '@countersign/common/runtime/options/common-options.ts';
import { flagOf, type OptionTable, variableOf } from '@countersign/common/runtime/options/option-table.ts';
import { OPTIONS as SIGNER_OPTIONS } from '@countersign/signer/options.ts';
import { OPTIONS as WEBHOOK_OPTIONS } from '@countersign/webhook/options.ts';

type Option = OptionTable[string];

/** The content of docs/flags.md. */
export function renderFlags(): string {
  return `<!-- Made by tools/docs/generate-flags.ts from the option tables of the services. Do not edit. -->

# Flags

Each flag of the services can also be set by its environment variable; the flag takes precedence. \`--help\` prints the flags.
\`--check-config\` validates flags and environment variables, prints the configuration and exits; it does not read files or
contact the API server. The chart sets the flags that its values stand for; for others use \`signer.extraArgs\` and
\`webhook.extraArgs\`. Durations are Go durations, such as \`30s\` or \`720h\`.

## Both services

${renderTable(COMMON_OPTIONS)}
## Signer

${renderTable(withoutCommon(SIGNER_OPTIONS))}
## Webhook

${renderTable(withoutCommon(WEBHOOK_OPTIONS))}
## Approver

${renderTable(APPROVER_OPTIONS)}`;
}

function withoutCommon(table: OptionTable): OptionTable {
  return Object.fromEntries(Object.entries(table).filter(([name]) => !Object.hasOwn(COMMON_OPTIONS, name)));
}

function renderTable(table: OptionTable): string {
  const rows = Object.entries(table).map(([name, option]) => renderRow(name, option));
  return `| Flag | Variable | Type | Default | Meaning |\n|---|---|---|---|---|\n${rows.join('')}`;
}

function renderRow(name: string, option: Option): string {
  const type = option.kind === 'enum' ? option.values.join(', ') : option.kind;
  const meaning = option.help.replaceAll(/[|<>]/g, character => ENTITIES[character] ?? character);
  return `| \`${flagOf(name)}\` | \`${variableOf(name)}\` | ${type} | ${renderDefault(option)} | ${meaning} |\n`;
}

/** What a table in Markdown would take for its own. */
const ENTITIES: Readonly<Record<string, string>> = { '|': '&#124;', '<': '&lt;', '>': '&gt;' };

function renderDefault({ default: value }: Option): string {
  if (value === undefined) return 'none; required';
  return value === '' ? '' : `\`${value}\``;
}

if (import.meta.main) await writeFile(new URL('../../docs/flags.md', import.meta.url), renderFlags());
