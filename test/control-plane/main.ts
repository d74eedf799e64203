// The command `npm run control-plane`: a control plane to work with by hand, users without rights for it, and the tools that
// it needs. It reads the command line and prints; everything else is done by test/support/control-plane.

import { resolve as absolutePath, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startControlPlane } from '../support/control-plane/control-plane.ts';
import { findTools } from '../support/control-plane/find-tools.ts';
import { kubeconfigName, readServer, writeKubeconfig } from '../support/control-plane/kubeconfig.ts';
import { createProgress } from '../support/control-plane/progress.ts';
import { findClusterAuthority } from '../support/control-plane/servers.ts';
import { isToolName, TOOLS, type ToolName } from '../support/control-plane/tools.ts';

const DEFAULT_DIR = fileURLToPath(new URL('../../.tmp/control-plane', import.meta.url));
const DEFAULT_TOOLS: readonly ToolName[] = ['etcd', 'kube-apiserver', 'kubectl', 'helm'];

const HELP = `npm run control-plane -- COMMAND

  up [--dir DIR]      Start etcd and kube-apiserver on 127.0.0.1, write DIR/kubeconfig (admin), and stay until Ctrl-C.
                      DIR is kept: the same DIR goes on with the same data.
  user NAME [--group GROUP]... [--dir DIR]
                      Write DIR/NAME.kubeconfig for a user who has no rights but those that RBAC gives to NAME or GROUP.
  tools [NAME]...     Make sure that the tools are there, and print their paths. Without names: ${DEFAULT_TOOLS.join(', ')}.
                      All: ${Object.keys(TOOLS).join(', ')}.

  DIR is .tmp/control-plane in the checkout if not given.

The tools are looked for in $KUBEBUILDER_ASSETS, then in \${XDG_CACHE_HOME:-~/.cache}/countersign/controlplane (safe to
delete); what is missing comes from the official envtest archive (never if COUNTERSIGN_ENVTEST=off or in CI), else it is
built with Go, which takes several minutes once.
`;

class UsageError extends Error {}

async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(argv);
  const [command, ...names] = positionals;
  const dir = absolutePath(values.dir ?? DEFAULT_DIR);
  if (values.help || command === 'help') return print(HELP);
  if (command === 'up') return up(dir, names);
  if (command === 'user') return addUser(dir, names, values.group ?? []);
  if (command === 'tools') return showTools(names);
  throw new UsageError(command === undefined ? 'A command is missing.' : `There is no command "${command}".`);
}

function parseCommandLine(argv: readonly string[]) {
  const options = {
    dir: { type: 'string' },
    group: { type: 'string', multiple: true },
    help: { type: 'boolean', short: 'h' },
  } as const;
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function up(dir: string, names: readonly string[]): Promise<number> {
  if (names.length > 0) throw new UsageError(`up takes no name, but "${names.join(' ')}" was given.`);
  const { kubectl } = await findTools(['kubectl']);
  const controlPlane = await startControlPlane({ dir, progress: createProgress() });
  print(`kube-apiserver is ready at ${controlPlane.url}. To use it:

  export KUBECONFIG=${controlPlane.adminKubeconfig}
  ${kubectl} get namespaces

It stays until Ctrl-C.
`);
  const broken = await Promise.race([stopSignal(), controlPlane.broken]);
  if (broken === undefined) print('Stopping.\n');
  else process.stderr.write(`The control plane is broken: ${broken}\n`);
  await controlPlane.stop();
  return broken === undefined ? 0 : 1;
}

/** Resolves at the first signal, and keeps the process until then; a second one ends it at once. */
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
  if (user === undefined || more.length > 0) throw new UsageError('user takes exactly one name.');
  const [server, authority] = await Promise.all([readServer(join(dir, 'kubeconfig')), findClusterAuthority(dir)]);
  if (server === undefined || authority === undefined) {
    throw new Error(`There is no control plane in ${dir}. Start one: npm run control-plane -- up --dir ${dir}`);
  }
  const pair = await authority.issueClient({ user, groups });
  return print(`${await writeKubeconfig(join(dir, kubeconfigName(user)), server, user, pair)}\n`);
}

async function showTools(names: readonly string[]): Promise<number> {
  const unknown = names.filter(name => !isToolName(name));
  if (unknown.length > 0) throw new UsageError(`There is no tool "${unknown.join('", "')}".`);
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
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  if (error instanceof UsageError) process.stderr.write('See npm run control-plane -- --help\n');
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
