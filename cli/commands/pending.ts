// `pending`: what waits for approval or on something else. Changes nothing.

import type { Command } from '../arguments/command.ts';
import { CLUSTER_FLAGS, HELP_FLAG, namespaceFlag } from '../arguments/flag.ts';
import type { Arguments } from '../arguments/parse.ts';
import { usageError } from '../cli-error.ts';
import type { Api } from '../cluster/api.ts';
import { withApi } from '../cluster/choice.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { gatherOpen } from '../pending/gather.ts';
import { formatPending } from '../pending/pending-table.ts';
import { gatherOpenPods } from '../pods/gather-pods.ts';
import { explainPod } from '../pods/pod-explanation.ts';
import { formatPendingPods } from '../pods/pod-report.ts';
import type { Io } from '../terminal/io.ts';
import { formatStructured } from '../terminal/structured.ts';

export const PENDING: Command = {
  name: 'pending',
  summary: 'List the CSRs of issuers that wait, with their content',
  usages: [''],
  about: [
    'The column WAITS FOR is approval, signer, or a reason such as IssuerNotReady or SecretMissing, which docs/reasons.md explains. With -n, only the CSRs of the Issuers in this namespace are listed.',
  ],
  flags: {
    output: {
      value: 'FORMAT',
      short: 'o',
      values: ['wide', 'json', 'yaml'],
      help: 'Output format: wide adds key, usages and duration; json or yaml.',
    },
    ...CLUSTER_FLAGS,
    pods: { help: 'List the PodCertificateRequests that wait, instead of CSRs.' },
    ...namespaceFlag('Only the Issuers of this namespace, with --pods only its pods. Defaults to all.'),
    ...HELP_FLAG,
  },
  examples: [
    ['kubectl countersign pending', 'What waits for an approver?'],
    ['kubectl countersign pending -n sandbox -o wide', 'Only the Issuers of one namespace, with keys and usages'],
    ['kubectl countersign pending --pods', 'Which pods wait for a certificate, and for what?'],
  ],

  run: (given, io) =>
    withApi(given, io, async api => {
      if (given.names.length > 0)
        throw usageError('pending takes no names', 'kubectl countersign explain NAME shows one CSR.');
      if (given.has('pods')) return listPods(api, given, io);
      const requests = await gatherOpen(api, given.text('namespace'));
      const format = given.text('output');
      if (format === 'json' || format === 'yaml') io.out(formatStructured({ items: requests }, format));
      else if (requests.length === 0) io.err('No CSR waits.\n');
      else io.out(formatPending(requests, format === 'wide', new Date()));
      return EXIT.ok;
    }),
};

async function listPods(api: Api, given: Arguments, io: Io): Promise<ExitCode> {
  const pods = (await gatherOpenPods(api, given.text('namespace'))).map(explainPod);
  const format = given.text('output');
  if (format === 'json' || format === 'yaml') io.out(formatStructured({ items: pods }, format));
  else if (pods.length === 0) io.err('No pod waits for a certificate.\n');
  else io.out(formatPendingPods(pods, new Date()));
  return EXIT.ok;
}
