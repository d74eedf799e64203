// Finds the programs that a node needs: container runtime, network plugins, and tools for namespaces. Installs them
// only on request; otherwise returns one line that says why a node cannot run here.

import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Environment } from '../control-plane/tools.ts';

const NAMES = ['containerd', 'containerd-shim-runc-v2', 'ctr', 'runc', 'iptables', 'ip', 'nsenter', 'unshare'] as const;

type ProgramName = (typeof NAMES)[number];

export interface Programs {
  readonly paths: Readonly<Record<ProgramName, string>>;
  /** The folder of the network plugins. */
  readonly cniFolder: string;
  /** PATH of the node, in which containerd looks up its shim and kube-proxy looks up iptables. */
  readonly searchPath: string;
}

const DEBIAN_PACKAGES = ['containerd', 'runc', 'containernetworking-plugins', 'iptables', 'iproute2', 'util-linux'];
const INSTALL = `apt-get install --no-install-recommends ${DEBIAN_PACKAGES.join(' ')}`;

const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const CNI_FOLDERS = ['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni'];
const CNI_PLUGINS = ['bridge', 'host-local', 'loopback'];

/** Returns the programs, or one line that says why a node cannot run here. */
export function findPrograms(env: Environment = process.env): Programs | string {
  if (process.platform !== 'linux') return 'a node needs Linux';
  if (process.getuid?.() !== 0) return 'a node needs root for namespaces and cgroups';
  const folders = [...(env['PATH'] ?? '').split(delimiter).filter(folder => folder !== ''), ...SYSTEM_FOLDERS];
  const found = NAMES.map(name => [name, folders.map(folder => join(folder, name)).find(isExecutable)] as const);
  const missing = found.filter(([, path]) => path === undefined).map(([name]) => name);
  if (missing.length > 0) return `a node needs ${missing.join(', ')} (on Debian: ${INSTALL})`;
  const cniFolder = CNI_FOLDERS.find(folder => CNI_PLUGINS.every(name => isExecutable(join(folder, name))));
  if (cniFolder === undefined) return `a node needs the CNI plugins ${CNI_PLUGINS.join(', ')} (on Debian: ${INSTALL})`;
  if (!mayMakeNamespaces()) return 'a node needs namespaces, which this machine does not allow';
  return { paths: Object.fromEntries(found) as Programs['paths'], cniFolder, searchPath: folders.join(delimiter) };
}

/** Installs with apt if available, without letting a service manager start containerd. Returns false on failure. */
export function installPrograms(env: Environment = process.env): boolean {
  const options = { env: { ...env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }, stdio: 'inherit' } as const;
  const apt = (...args: string[]) => spawnSync('apt-get', ['-qq', '-y', ...args], options).status === 0;
  return apt('update') && apt('install', '--no-install-recommends', ...DEBIAN_PACKAGES);
}

function mayMakeNamespaces(): boolean {
  return spawnSync('unshare', ['--mount', '--net', '--pid', '--fork', 'true'], { stdio: 'ignore' }).status === 0;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
