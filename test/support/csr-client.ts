// Runs test/control-plane/csrclient, which acts as well-known clients of the CSR API.

import { findTools } from './control-plane/find-tools.ts';
import { runCommand } from './control-plane/run-command.ts';

/** The result from the client's point of view. Fields are absent if it got nothing. */
export interface ClientAnswer {
  readonly request?: string;
  /** PEM, leaf first. */
  readonly chain?: string;
  /** PEM of the client's trust anchor. */
  readonly root?: string;
  readonly error?: string;
  /** The log of its library, such as warnings of the API server. */
  readonly log: string;
}

/** Builds the program first if it is missing. Throws only if it cannot be run. */
export async function runCsrClient(
  client: 'istiod' | 'calico' | 'manager',
  flags: Readonly<Record<string, string>>,
): Promise<ClientAnswer> {
  const { csrclient } = await findTools(['csrclient']);
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const { code, stdout, stderr } = await runCommand(csrclient, [...args, client], { env: process.env });
  if (code !== 0) throw new Error(stderr);
  return { ...JSON.parse(stdout), log: stderr };
}
