// What a command may do outside the cluster: print, ask, read and write files. Implemented by main.ts, and by tests.

import type { Style } from './style.ts';

export interface Io {
  /** Standard output, for results. */
  out(text: string): void;
  /** Standard error, for progress and questions. */
  err(text: string): void;
  readonly style: Style;
  /** Whether a person can answer: standard input and standard error are terminals. The review is printed there too. */
  readonly isInteractive: boolean;
  /** Asks on standard error; the answer is one line. */
  ask(question: string): Promise<string>;
  /** A line on standard error that the next one replaces; nothing without a terminal. The empty text removes it. */
  progress(text: string): void;
  /** Reads a file, or standard input for `-`. */
  readText(path: string): Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
}
