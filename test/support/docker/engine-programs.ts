// Finds the programs for a separate Docker engine. In CI, installs Debian's engine if it is missing; elsewhere returns
// what is missing.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { isContinuousIntegration } from '../continuous-integration.ts';
import type { Environment } from '../control-plane/tools.ts';
import { installCommand, installDebianPackages } from '../debian-packages.ts';

/** docker-proxy publishes ports without iptables rules. */
const NAMES = ['dockerd', 'docker', 'docker-proxy', 'iptables', 'ip', 'nsenter', 'unshare'] as const;
const DEBIAN_PACKAGES = ['docker.io', 'iptables', 'iproute2', 'util-linux'];
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

export interface EnginePrograms {
  readonly dockerd: string;
  readonly docker: string;
  /** PATH of the engine, which looks up containerd and iptables there. */
  readonly searchPath: string;
}

/** Returns the programs, or one line that says why the engine cannot run here. */
export function provideEnginePrograms(env: Environment = process.env): EnginePrograms | string {
  if (process.platform !== 'linux') return 'a separate Docker engine needs Linux';
  if (process.getuid?.() !== 0) return 'a separate Docker engine needs root for namespaces and cgroups';
  const found = find(env);
  if (typeof found !== 'string' || !isContinuousIntegration(env)) return found;
  return installDebianPackages(DEBIAN_PACKAGES, env) ? find(env) : `${found}; installing it failed`;
}

function find(env: Environment): EnginePrograms | string {
  const folders = [...(env['PATH'] ?? '').split(delimiter).filter(folder => folder !== ''), ...SYSTEM_FOLDERS];
  const locate = (name: string) => folders.map(folder => join(folder, name)).find(isExecutable);
  const missing = NAMES.filter(name => locate(name) === undefined);
  const [dockerd, docker] = [locate('dockerd'), locate('docker')];
  if (missing.length === 0 && dockerd && docker) return { dockerd, docker, searchPath: folders.join(delimiter) };
  return `a separate Docker engine needs ${missing.join(', ')} (on Debian: ${installCommand(DEBIAN_PACKAGES)})`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
