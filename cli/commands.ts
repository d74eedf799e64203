// All commands, in the order of the help.

import type { Command } from './arguments/command.ts';
import { EXPLAIN } from './commands/explain.ts';

export const COMMANDS: readonly Command[] = [EXPLAIN];
