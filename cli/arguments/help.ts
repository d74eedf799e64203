// Writes the help of the command and of each of its subcommands. Pure.

import { EXIT_CODES } from '../exit-code.ts';
import type { Command } from './command.ts';
import type { Flags } from './flag.ts';

export const PROGRAM = 'kubectl countersign';

/** The help of the whole command. */
export function formatOverview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `${[
    'Requests, explains and approves certificates that Countersign signs.',
    `Usage: ${PROGRAM} COMMAND [flags]`,
    `Commands:\n${lines.join('\n')}`,
    `${PROGRAM} COMMAND --help describes a command. ${PROGRAM} --version prints the version.`,
    formatExitCodes(),
  ].join('\n\n')}\n`;
}

function formatExitCodes(): string {
  return `Exit codes:\n${EXIT_CODES.map(([code, meaning]) => `  ${code}  ${meaning}`).join('\n')}`;
}

export function formatHelp({ name, summary, usages, about, flags, examples }: Command): string {
  const lines = usages.map(usage => `  ${PROGRAM} ${name} ${usage}`.trimEnd());
  return `${[
    `${summary}.`,
    `Usage:\n${lines.join('\n')}`,
    ...about.map(wrap),
    `Flags:\n${formatFlags(flags)}`,
    `Examples:\n${examples.map(([command, what]) => `  # ${what}\n  ${command}`).join('\n')}`,
  ].join('\n\n')}\n`;
}

function formatFlags(flags: Flags): string {
  const rows = Object.entries(flags).map(([name, { short, value, help }]) => {
    const letter = short === undefined ? '    ' : `-${short}, `;
    return [`  ${letter}--${name}${value === undefined ? '' : `=${value}`}`, help] as const;
  });
  const width = Math.max(...rows.map(([flag]) => flag.length));
  return rows.map(([flag, help]) => `${flag.padEnd(width)}  ${help}`).join('\n');
}

const COLUMNS = 100;

function wrap(text: string): string {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + word.length + 1 > COLUMNS) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join('\n');
}
