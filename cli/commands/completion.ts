// `completion`: prints a script for a shell.

import type { Command } from '../arguments/command.ts';
import { HELP_FLAG } from '../arguments/flag.ts';
import { usageError } from '../cli-error.ts';
import { completionScript, SHELLS } from '../completion/scripts.ts';
import { EXIT } from '../exit-code.ts';

export const COMPLETION: Command = {
  name: 'completion',
  summary: 'Print a completion script for bash, zsh or kubectl',
  usages: ['bash|zsh|kubectl'],
  about: [
    'The script for kubectl completes `kubectl countersign` in every shell that has the completion of kubectl: store it as kubectl_complete-countersign in a folder of PATH. Those for bash and zsh complete kubectl-countersign.',
  ],
  flags: HELP_FLAG,
  examples: [
    [
      'kubectl countersign completion kubectl > ~/.local/bin/kubectl_complete-countersign && chmod +x ~/.local/bin/kubectl_complete-countersign',
      'For kubectl countersign',
    ],
    ['source <(kubectl countersign completion bash)', 'For kubectl-countersign in bash'],
  ],
  completes: SHELLS,

  run: async (given, io) => {
    const shell = SHELLS.find(name => name === given.names[0]);
    if (shell === undefined || given.names.length > 1)
      throw usageError(`completion takes one of ${SHELLS.join(', ')}`, 'Run kubectl countersign completion --help.');
    io.out(completionScript(shell));
    return EXIT.ok;
  },
};
