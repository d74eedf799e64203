// All commands, in the order of the help.

import type { Command } from './arguments/command.ts';
import { APPROVE, DENY } from './commands/approve.ts';
import { EXPLAIN } from './commands/explain.ts';
import { PENDING } from './commands/pending.ts';
import { WAIT } from './commands/wait.ts';

export const COMMANDS: readonly Command[] = [EXPLAIN, PENDING, APPROVE, DENY, WAIT];
