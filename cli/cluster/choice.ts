// Which cluster a command line means. Opens no connection.

import type { Arguments } from '../arguments/parse.ts';
import { CliError, usageError } from '../cli-error.ts';
import type { Io } from '../terminal/io.ts';
import type { Api } from './api.ts';

async function connectFor(given: Arguments, { env }: Pick<Io, 'env'>): Promise<Api> {
  if (given.has('as-group') && !given.has('as')) throw usageError('--as-group requires --as', 'Add --as=USER.');
  // Loaded only now: help and completion start in half the time without the Kubernetes library.
  const { connect } = await import('./api.ts');
  try {
    return connect({
      kubeconfig: given.text('kubeconfig') ?? env['KUBECONFIG'],
      context: given.text('context'),
      namespace: given.text('namespace'),
      as: given.text('as'),
      asGroups: given.list('as-group'),
    });
  } catch (cause) {
    const { message } = cause as Error;
    throw new CliError(message, 'Correct the kubeconfig, or choose another with --kubeconfig.', { cause });
  }
}

/** Runs `use` with a connection, and closes it. */
export async function withApi<T>(given: Arguments, io: Pick<Io, 'env'>, use: (api: Api) => Promise<T>): Promise<T> {
  const api = await connectFor(given, io);
  try {
    return await use(api);
  } finally {
    await api.close();
  }
}
