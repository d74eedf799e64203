// What can be written next on a command line. Pure; names of objects are an argument.

import type { Command } from '../arguments/command.ts';
import type { Flags } from '../arguments/flag.ts';

/** A word, and what it means. */
export type Candidate = readonly [string, string];

/** What the last word is, so that the caller knows whether to ask the cluster. */
export type Wanted =
  | { readonly kind: 'words'; readonly candidates: readonly Candidate[] }
  | { readonly kind: 'csr' | 'issuer'; readonly command: Command }
  | { readonly kind: 'file' };

/** The last of the words is the one to complete; it may be empty. */
export function findWanted(words: readonly string[], commands: readonly Command[]): Wanted {
  const command = commands.find(({ name }) => name === words[0]);
  if (words.length < 2 || command === undefined) return wordsOf(commands.map(({ name, summary }) => [name, summary]));
  const flag = flagBefore(words.at(-2) ?? '', command.flags);
  if (flag?.value !== undefined) {
    return flag.values === undefined ? { kind: 'file' } : wordsOf(flag.values.map(value => [value, '']));
  }
  const isFlag = words.at(-1)?.startsWith('-') === true;
  return isFlag
    ? wordsOf(Object.entries(command.flags).map(([name, { help }]) => [`--${name}`, help]))
    : namesFor(command);
}

function namesFor(command: Command): Wanted {
  const { completes = [] } = command;
  return typeof completes === 'string' ? { kind: completes, command } : wordsOf(completes.map(word => [word, '']));
}

function wordsOf(candidates: readonly Candidate[]): Wanted {
  return { kind: 'words', candidates };
}

function flagBefore(word: string, flags: Flags): Flags[string] | undefined {
  if (!word.startsWith('-') || word.includes('=')) return undefined;
  return Object.entries(flags).find(([name, { short }]) => word === `--${name}` || word === `-${short}`)?.[1];
}

/** The protocol of cobra, which kubectl speaks: one candidate per line, then a directive (4: no files, 0: files). */
export function formatCandidates(candidates: readonly Candidate[], prefix: string, isFile: boolean): string {
  // Another character would need quoting, which shells do differently.
  const plain = candidates.filter(([word]) => word.startsWith(prefix) && /^[\w.:@+=/-]+$/.test(word));
  const lines = plain.map(([word, help]) => (help === '' ? word : `${word}\t${help}`));
  return [...lines, `:${isFile ? 0 : 4}`, ''].join('\n');
}
