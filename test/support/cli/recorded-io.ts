// The world of a command in a test: what it printed, and the answers that a person gives.

import type { Io } from '@countersign/cli/terminal/io.ts';
import { createStyle } from '@countersign/cli/terminal/style.ts';

export interface RecordedIo extends Io {
  readonly printed: () => string;
  readonly complaints: () => string;
}

export interface Person {
  readonly answers?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Io['env'];
  /** Called before the answer is given. */
  readonly whileAsked?: () => Promise<void>;
}

/** Without answers nobody can be asked, as in a script. */
export function recordIo({ answers, files = {}, env = {}, whileAsked }: Person = {}): RecordedIo {
  const [out, err]: [string[], string[]] = [[], []];
  const left = [...(answers ?? [])];
  return {
    out: text => void out.push(text),
    err: text => void err.push(text),
    style: createStyle(false),
    isInteractive: answers !== undefined,
    ask: async question => {
      err.push(`${question}\n`);
      await whileAsked?.();
      return left.shift() ?? '';
    },
    progress: () => undefined,
    readText: async path => files[path] ?? '',
    env,
    printed: () => out.join(''),
    complaints: () => err.join(''),
  };
}
