// Installs packages of Debian with apt-get, as root. The caller decides whether it may, which it does only in CI.

import { spawnSync } from 'node:child_process';
import type { Environment } from './control-plane/tools.ts';

const INSTALL = ['install', '--no-install-recommends'];

/** The command for people, and for messages. */
export function installCommand(packages: readonly string[]): string {
  return ['apt-get', ...INSTALL, ...packages].join(' ');
}

/** Whether they are installed now. RUNLEVEL prevents a service manager from starting an installed service. */
export function installDebianPackages(packages: readonly string[], env: Environment): boolean {
  const options = { env: { ...env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }, stdio: 'ignore' } as const;
  const apt = (...args: readonly string[]) => spawnSync('apt-get', ['-qq', '-y', ...args], options).status === 0;
  const install = () => apt(...INSTALL, ...packages);
  return install() || (apt('update') && install());
}
