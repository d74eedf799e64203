// `approve` and `deny`: show each CSR, ask, and write the decision.

import { review } from '../approval/review.ts';
import { APPROVAL, DENIAL, type Verdict } from '../approval/verdict.ts';
import type { Command } from '../arguments/command.ts';
import { CLUSTER_FLAGS, HELP_FLAG } from '../arguments/flag.ts';
import type { Arguments } from '../arguments/parse.ts';
import { usageError } from '../cli-error.ts';
import type { Api } from '../cluster/api.ts';
import { withApi } from '../cluster/choice.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { reportError } from '../report-error.ts';
import type { Io } from '../terminal/io.ts';

const FLAGS = {
  message: { value: 'TEXT', help: 'Message of the condition. Defaults to one that names this command.' },
  yes: { short: 'y', help: 'Do not show the CSR and do not ask.' },
} as const;

const NEVER_UNSEEN =
  'The decision is about exactly what was shown: if the CSR changed in the meantime, nothing is decided, and the exit code is 5. Several CSRs are shown and decided one after the other.';

export const APPROVE: Command = {
  name: 'approve',
  summary: 'Show a CSR, ask, and approve it',
  usages: ['NAME...'],
  about: [
    NEVER_UNSEEN,
    'A CSR that would fail, for example because its requester may not use the issuer, is not approved without --force. The exit code is then 3.',
  ],
  flags: {
    ...FLAGS,
    force: { help: 'Approve even a CSR that cannot be signed as it is.' },
    ...CLUSTER_FLAGS,
    ...HELP_FLAG,
  },
  examples: [
    ['kubectl countersign approve my-csr', 'Show, ask, approve'],
    ['kubectl countersign approve my-csr --yes --message "ticket 42"', 'In a script'],
  ],
  completes: 'csr',
  run: (given, io) => decideAll(given, io, APPROVAL),
};

export const DENY: Command = {
  name: 'deny',
  summary: 'Show a CSR, ask, and deny it',
  usages: ['NAME...'],
  about: [NEVER_UNSEEN, 'The requester sees the message.'],
  flags: { ...FLAGS, ...CLUSTER_FLAGS, ...HELP_FLAG },
  examples: [['kubectl countersign deny my-csr --message "request your own Service name"', 'Say why']],
  completes: 'csr',
  run: (given, io) => decideAll(given, io, DENIAL),
};

function decideAll(given: Arguments, io: Io, verdict: Verdict): Promise<ExitCode> {
  const { names } = given;
  if (names.length === 0)
    throw usageError(
      `${verdict.verb} takes one or more names`,
      'kubectl countersign pending lists the CSRs that wait.',
    );
  return withApi(given, io, async api => {
    let worst: ExitCode = EXIT.ok;
    for (const name of new Set(names)) {
      const code = await decideOne(api, io, name, { given, verdict });
      if (worst === EXIT.ok) worst = code;
    }
    return worst;
  });
}

/** An error about one CSR does not keep the others from being decided. */
async function decideOne(
  api: Api,
  io: Io,
  name: string,
  { given, verdict }: { readonly given: Arguments; readonly verdict: Verdict },
): Promise<ExitCode> {
  const options = {
    verdict,
    message: given.text('message') ?? `${verdict.done} with kubectl countersign ${verdict.verb}`,
    isConfirmed: given.has('yes'),
    isForced: given.has('force'),
  };
  try {
    return await review(api, io, name, options);
  } catch (error) {
    return reportError(error, io);
  }
}
