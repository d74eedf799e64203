// Runs test/control-plane/csrclient: a client of the CSR API that acts as a well-known one does. Knows nothing of what it asks for.

import { findTools } from './control-plane/find-tools.ts';
import { runCommand } from './control-plane/run-command.ts';

/** What the client is left with; absent where it got none. */
export interface ClientAnswer {
  readonly request?: string;
  /** PEM, leaf first. */
  readonly chain?: string;
  /** PEM of what it takes for the trust anchor. */
  readonly root?: string;
  readonly error?: string;
  /** What its library logs, such as the warnings of the API server. */
  readonly log: string;
}

/** Builds the program first if there is none yet. Throws only if it cannot be run. */
export async function runCsrClient(
  client: 'istiod' | 'calico',
  flags: Readonly<Record<string, string>>,
): Promise<ClientAnswer> {
  const { csrclient } = await findTools(['csrclient']);
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const { code, stdout, stderr } = await runCommand(csrclient, [...args, client], { env: process.env });
  if (code !== 0) throw new Error(stderr);
  return { ...JSON.parse(stdout), log: stderr };
}
