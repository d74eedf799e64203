// The node of the other end-to-end tests leaves nothing behind, however the process that started it exits.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { requirement } from './requirements.ts';

const COMMAND = fileURLToPath(new URL('../support/node/main.ts', import.meta.url));
const PROGRAMS = [
  'containerd',
  'kubelet',
  'kube-proxy',
  'kube-scheduler',
  'kube-apiserver',
  'etcd',
  'nsenter',
  'unshare',
];

describe('a node', requirement, () => {
  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    test(`leaves nothing behind when the process that started it gets ${signal}`, async t => {
      const before = await machineState();
      const child = spawn(process.execPath, [COMMAND], { stdio: ['ignore', 'pipe', 'inherit'] });
      t.after(() => child.kill('SIGKILL'));
      const dir = dirname(await kubeconfigOf(child));
      assert.ok(existsSync(dir));
      const during = await programsOf(dir);
      assert.deepEqual(
        PROGRAMS.filter(name => !during.includes(name)),
        [],
      );

      assert.notDeepEqual(await mountsAndCgroupsOf(basename(dir)), []);
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
      for (let i = 0; i < 150 && existsSync(dir); i++) await sleep(100);
      assert.equal(existsSync(dir), false, `${dir} still exists`);
      assert.deepEqual(await programsOf(dir), []);
      assert.deepEqual(await mountsAndCgroupsOf(basename(dir)), []);
      assert.deepEqual(await machineState(), before);
    });
  }
});

async function kubeconfigOf(child: ChildProcess): Promise<string> {
  assert.ok(child.stdout);
  for await (const line of createInterface(child.stdout)) {
    const [, path] = /KUBECONFIG=(\S+)/.exec(line) ?? [];
    if (path !== undefined) return path;
  }
  return assert.fail('the node did not start');
}

/** Returns the processes whose command line or working directory belongs to the node. */
async function programsOf(dir: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name));
  const names = await Promise.all(
    pids.map(async pid => {
      const read = (name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
      const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
      const isOfNode = cwd.startsWith(dir) || (await read('cmdline')).includes(dir);
      return isOfNode ? (await read('comm')).trim() : '';
    }),
  );
  return names.filter(name => name !== '');
}

/** Returns the parts of the machine that a node without its own namespaces would change. */
async function machineState() {
  return {
    interfaces: (await readFile('/proc/net/dev', 'utf8')).split('\n').map(line => line.split(':')[0]?.trim()),
    networks: existsSync('/run/netns') ? await readdir('/run/netns') : [],
    hasKubelet: existsSync('/var/lib/kubelet'),
  };
}

/** Returns the mounts and cgroups of one node. */
async function mountsAndCgroupsOf(name: string): Promise<string[]> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n');
  const cgroups = await readdir('/sys/fs/cgroup', { recursive: true }).catch(() => []);
  return [...mounts, ...cgroups].filter(trace => trace.includes(name));
}
