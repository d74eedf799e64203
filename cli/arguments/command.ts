// A command as data and a function.

import type { ExitCode } from '../exit-code.ts';
import type { Io } from '../terminal/io.ts';
import type { Flags } from './flag.ts';
import type { Arguments } from './parse.ts';

export interface Command {
  readonly name: string;
  /** One line, in the imperative. */
  readonly summary: string;
  /** Without the name: `NAME`, `-f FILE`. */
  readonly usages: readonly string[];
  /** Paragraphs. */
  readonly about: readonly string[];
  readonly flags: Flags;
  /** Commands with what they do. */
  readonly examples: readonly (readonly [string, string])[];
  /** What the names are, for completion. */
  readonly completes?: 'csr' | 'issuer' | readonly string[];
  run(given: Arguments, io: Io): Promise<ExitCode>;
}
