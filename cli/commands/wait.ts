// `wait`: until a CSR is signed, denied or failed.

import type { Command } from '../arguments/command.ts';
import { CLUSTER_FLAGS, HELP_FLAG } from '../arguments/flag.ts';
import { usageError } from '../cli-error.ts';
import { withApi } from '../cluster/choice.ts';
import { readCsr } from '../cluster/csrs.ts';
import { EXIT } from '../exit-code.ts';
import { safeText } from '../terminal/safe-text.ts';
import { parseTimeout, TIMEOUT_FLAG, waitWithProgress } from '../waiting/wait-with-progress.ts';

export const WAIT: Command = {
  name: 'wait',
  summary: 'Wait until a CSR has its certificate',
  usages: ['NAME'],
  about: [
    'Ends as soon as the CSR is signed, and at once with exit code 3 and the reason if it is Denied or Failed. After the timeout the exit code is 4.',
  ],
  flags: { ...TIMEOUT_FLAG, ...CLUSTER_FLAGS, ...HELP_FLAG },
  examples: [['kubectl countersign wait my-csr --timeout=30s', 'At most 30 seconds']],
  completes: 'csr',

  run: (given, io) =>
    withApi(given, io, async api => {
      const [name, ...others] = given.names;
      if (name === undefined || others.length > 0)
        throw usageError('wait takes one name', 'kubectl get csr lists all names.');
      const timeout = parseTimeout(given.text('timeout'));
      await waitWithProgress(api, io, await readCsr(api, name), timeout);
      io.out(`certificatesigningrequest.certificates.k8s.io/${safeText(name)} issued\n`);
      return EXIT.ok;
    }),
};
