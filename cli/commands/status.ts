// `status`: whether Countersign works. Changes nothing.

import type { Command } from '../arguments/command.ts';
import { CLUSTER_FLAGS, HELP_FLAG, namespaceFlag, OUTPUT_FLAG } from '../arguments/flag.ts';
import { usageError } from '../cli-error.ts';
import { withApi } from '../cluster/choice.ts';
import { EXIT } from '../exit-code.ts';
import type { Finding } from '../status/finding.ts';
import { gatherStatus } from '../status/gather.ts';
import { formatReport, type Mark } from '../terminal/report.ts';
import { formatStructured, type StructuredFormat } from '../terminal/structured.ts';

const MARKS: Readonly<Record<Finding['state'], Mark>> = { ok: 'good', warning: 'warn', unknown: 'warn', bad: 'bad' };

/** The namespace in which the documentation installs the chart. */
const NAMESPACE = 'countersign';

export const STATUS: Command = {
  name: 'status',
  summary: 'Show whether Countersign works: webhook, signer, leader, issuers, expiries',
  usages: [''],
  about: [
    'Checks the webhook configuration and the CA that the API server trusts, the replicas, the Lease of the signer, and every issuer of type ca and selfSigned with the expiry of its CA. What you may not read is marked as unknown.',
    'The exit code is 1 if something is broken. -n is the namespace of Countersign, by default countersign.',
  ],
  flags: {
    ...OUTPUT_FLAG,
    ...CLUSTER_FLAGS,
    ...namespaceFlag('Namespace of Countersign. Defaults to countersign.'),
    ...HELP_FLAG,
  },
  examples: [['kubectl countersign status', 'Is everything ready?']],

  run: (given, io) =>
    withApi(given, io, async api => {
      if (given.names.length > 0)
        throw usageError('status takes no names', 'kubectl countersign explain NAME shows one CSR.');
      const findings = await gatherStatus(api, given.text('namespace') ?? NAMESPACE, new Date());
      const format = given.text('output') as StructuredFormat | undefined;
      const rows = findings.map(({ what, state, text }) => ({ label: what, values: [text], mark: MARKS[state] }));
      io.out(
        format === undefined
          ? formatReport([{ title: 'Countersign', rows }], io.style)
          : formatStructured({ findings }, format),
      );
      return findings.some(({ state }) => state === 'bad') ? EXIT.failure : EXIT.ok;
    }),
};
