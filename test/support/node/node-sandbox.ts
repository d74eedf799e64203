// Separate namespaces (mounts, network, processes), a cgroup and a folder for a node. When they are closed, or when
// this process exits for any reason, the kernel kills all processes in them. The rest of the machine is not changed.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { logTail } from '../control-plane/child.ts';

/** The node's address, on a bridge with no other interfaces. */
export const NODE_ADDRESS = '10.200.0.1';

const CGROUPS = '/sys/fs/cgroup';

// The init process of the namespaces. /run is empty and temporary, and so are all changes in /var/lib and /var/log,
// where the network plugins and the kubelet use fixed paths. kubelet and kube-proxy require a default route; it leads
// nowhere. Finally it adopts and reaps orphans of the runtime.
const INIT = `set -e
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs "$1/data"
for name in lib log; do
  mkdir -p "$1/data/$name/upper" "$1/data/$name/work"
  mount -t overlay overlay -o "lowerdir=/var/$name,upperdir=$1/data/$name/upper,workdir=$1/data/$name/work" "/var/$name"
done
ip link set lo up
ip link add node0 type bridge
ip address add ${NODE_ADDRESS}/24 dev node0
ip link set node0 up
ip route add default via 10.200.0.254 dev node0
echo 1 > /proc/sys/net/ipv4/ip_forward
echo ready
while :; do sleep 2147483647 & wait $!; done`;

// Reads a line when the namespaces are closed, or end-of-file when this process has exited first. Then it kills
// them and removes what does not belong to a namespace. A cgroup can be removed only shortly after its last process
// has exited.
const SWEEPER = `read -r mode
kill -s KILL "$1" 2>/dev/null
i=0
while [ $i -lt 100 ]; do
  i=$((i + 1))
  find ${CGROUPS} -depth -type d -path "*/$3*" -exec rmdir {} + 2>/dev/null
  [ -z "$(find ${CGROUPS} -maxdepth 2 -type d -name "$3" 2>/dev/null)" ] && break
  sleep 0.1
done
[ "$mode" = keep ] || rm -rf "$2"
[ $i -lt 100 ]`;

export class NodeSandbox {
  /** For logs and keys. Its subfolder `data` exists only in the namespaces, in memory. */
  readonly dir: string;
  /** The path of the node's cgroup below the root. */
  readonly cgroup: string;
  readonly #sweeper: ChildProcess;
  readonly #initPid: number;
  #closing: Promise<void> | undefined;

  private constructor(dir: string, init: number, sweeper: ChildProcess) {
    this.dir = dir;
    this.cgroup = `/${basename(dir)}`;
    this.#initPid = init;
    this.#sweeper = sweeper;
  }

  static async open(): Promise<NodeSandbox> {
    const dir = await mkdtemp(join(tmpdir(), 'countersign-node-'));
    for (const name of ['data', 'logs', 'users']) await mkdir(join(dir, name));
    const namespaces = ['--mount', '--net', '--pid', '--ipc', '--uts', '--fork', '--kill-child', '--mount-proc'];
    const holder = spawn('unshare', [...namespaces, 'sh', '-c', INIT, 'init', dir], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const sweeper = startSweeper(holder, dir);
    try {
      await makeCgroup(basename(dir));
      await waitForReadyLine(holder);
      return new NodeSandbox(dir, await childOf(holder.pid), sweeper);
    } catch (error) {
      await sweep(sweeper, 'remove');
      throw error;
    }
  }

  /** Returns the command line that runs a program in the namespaces. */
  enter(command: string, args: readonly string[] = []): readonly [string, ...string[]] {
    return ['nsenter', `--target=${this.#initPid}`, '--mount', '--net', '--pid', '--ipc', '--uts', command, ...args];
  }

  log(name: string): string {
    return join(this.dir, 'logs', `${name}.log`);
  }

  /** Returns the last lines of every log, for an error message. */
  async logTails(): Promise<string> {
    const names = await readdir(join(this.dir, 'logs'));
    return names.map(name => `--- ${name}\n${logTail(join(this.dir, 'logs', name), 8)}`).join('\n');
  }

  /** Resolves when everything is removed. With `keep`, the folder with keys and logs stays. */
  close({ keep = false }: { readonly keep?: boolean } = {}): Promise<void> {
    this.#closing ??= sweep(this.#sweeper, keep ? 'keep' : 'remove');
    return this.#closing;
  }
}

function startSweeper(holder: ChildProcess, dir: string): ChildProcess {
  const args = ['-c', SWEEPER, 'sweeper', String(holder.pid), dir, basename(dir)];
  const sweeper = spawn('sh', args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  sweeper.stdin?.on('error', () => {});
  for (const child of [holder, sweeper]) child.unref();
  return sweeper;
}

async function sweep(sweeper: ChildProcess, mode: 'keep' | 'remove'): Promise<void> {
  sweeper.ref();
  const ended = once(sweeper, 'exit');
  sweeper.stdin?.end(`${mode}\n`);
  const [code] = await ended;
  if (code !== 0) throw new Error(`The node still has running processes: cannot remove its cgroups from ${CGROUPS}`);
}

/** One directory per cgroup hierarchy; version 2 has only one. */
async function makeCgroup(name: string): Promise<void> {
  const isVersion2 = existsSync(join(CGROUPS, 'cgroup.controllers'));
  const hierarchies = isVersion2 ? [''] : await readdir(CGROUPS);
  for (const hierarchy of hierarchies) await mkdir(join(CGROUPS, hierarchy, name));
}

async function waitForReadyLine(holder: ChildProcess): Promise<void> {
  const errors: string[] = [];
  holder.stderr?.on('data', chunk => errors.push(String(chunk)));
  if (holder.stdout === null) throw new TypeError('the output of unshare is not piped');
  for await (const line of createInterface(holder.stdout)) if (line === 'ready') return;
  throw new Error(`Cannot create the namespaces of the node: ${errors.join('').trim()}`);
}

/** The one child of a process. */
export async function childOf(pid: number | undefined): Promise<number> {
  return Number.parseInt(await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8'), 10);
}
