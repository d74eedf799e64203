// All commands, in the order of the help.

import type { Command } from './arguments/command.ts';
import { APPROVE, DENY } from './commands/approve.ts';
import { CA_COMMAND } from './commands/ca.ts';
import { COMPLETION } from './commands/completion.ts';
import { EXPLAIN } from './commands/explain.ts';
import { PENDING } from './commands/pending.ts';
import { REQUEST } from './commands/request.ts';
import { STATUS } from './commands/status.ts';
import { WAIT } from './commands/wait.ts';

export const COMMANDS: readonly Command[] = [
  EXPLAIN,
  PENDING,
  APPROVE,
  DENY,
  WAIT,
  REQUEST,
  STATUS,
  CA_COMMAND,
  COMPLETION,
];
