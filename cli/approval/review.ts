// Shows one CSR to an approver, asks, and writes the decision about exactly what was shown.

import { hasExternalForm } from '@countersign/common/issuers/external-types.ts';
import { parseSignerName } from '@countersign/common/signer-name.ts';
import { CliError, usageError } from '../cli-error.ts';
import type { Api } from '../cluster/api.ts';
import { readCsr } from '../cluster/csrs.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { type Explanation, explain, isSignable } from '../explain/explanation.ts';
import { gatherCreated } from '../explain/gather.ts';
import { NOTHING_FOUND, toSections } from '../explain/report.ts';
import type { Io } from '../terminal/io.ts';
import { formatReport } from '../terminal/report.ts';
import { safeText } from '../terminal/safe-text.ts';
import { isDecided, type Verdict } from './verdict.ts';
import { writeVerdict } from './write-verdict.ts';

export interface ReviewOptions {
  readonly verdict: Verdict;
  readonly message: string;
  /** Do not ask. */
  readonly isConfirmed: boolean;
  /** Approve even what cannot be signed as it is. */
  readonly isForced: boolean;
}

export async function review(api: Api, io: Io, name: string, options: ReviewOptions): Promise<ExitCode> {
  const { verdict, message, isConfirmed } = options;
  if (!isConfirmed) requirePerson(io);
  const csr = await readCsr(api, name);
  requireOurs(csr.spec.signerName, name);
  if (isDecided(csr, verdict)) return print(io, `${safeText(name)} is already ${verdict.done}`);
  const facts = await gatherCreated(api, csr);
  const explanation = explain(facts);
  if (!isConfirmed) io.err(`${reviewText(explanation, facts.now, io)}\n`);
  requireSignable(explanation, options);
  if (!isConfirmed && !(await isAgreed(io, `${verdict.verb} ${safeText(name)}?`))) return decline(io, name, verdict);
  await writeVerdict(api, csr, verdict, message);
  return print(io, `certificatesigningrequest.certificates.k8s.io/${safeText(name)} ${verdict.done}`);
}

/** Other signers have rules that this command does not know. */
function requireOurs(signerName: string, name: string): void {
  const signer = parseSignerName(signerName);
  if (signer.ok || signer.error.kind === 'malformed' || hasExternalForm(signerName)) return;
  throw usageError(
    `${safeText(name)} is for the signer ${safeText(signerName)}, not for an issuer`,
    'Use kubectl certificate approve or deny.',
  );
}

function requireSignable(explanation: Explanation, { verdict, isForced }: ReviewOptions): void {
  if (verdict.type === 'Denied' || isForced || isSignable(explanation)) return;
  const causes = explanation.obstacles.filter(({ isFinal }) => isFinal).map(({ what }) => `- ${what}`);
  throw new CliError(
    `${safeText(explanation.name)} cannot be signed as it is, and would fail:\n${causes.join('\n')}`,
    'Fix the cause or deny the CSR; --force approves it nevertheless.',
    { code: EXIT.refused },
  );
}

/** Without the advice to approve it. */
function reviewText(explanation: Explanation, now: Date, io: Io): string {
  const obstacles = explanation.obstacles.filter(({ reason }) => reason !== 'WaitingApproval');
  const sections = toSections({ ...explanation, obstacles }, now).filter(({ title }) => title !== NOTHING_FOUND);
  return formatReport(sections, io.style);
}

function requirePerson(io: Io): void {
  if (io.isInteractive) return;
  throw usageError(
    'cannot ask for confirmation without a terminal',
    'Check the CSR with kubectl countersign explain, then add --yes.',
  );
}

async function isAgreed(io: Io, question: string): Promise<boolean> {
  const sentence = question.charAt(0).toUpperCase() + question.slice(1);
  return /^y(es)?$/i.test((await io.ask(`${io.style.bold(sentence)} [y/N] `)).trim());
}

function decline(io: Io, name: string, { done }: Verdict): ExitCode {
  io.err(`${safeText(name)} was not ${done}.\n`);
  return EXIT.unconfirmed;
}

function print(io: Io, line: string): ExitCode {
  io.out(`${line}\n`);
  return EXIT.ok;
}
