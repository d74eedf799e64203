// The programs of the control plane and their names and locations in the cache. Builds and downloads nothing.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OPENBAO, type Wheel } from './wheels.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `about`: duration of the first build on two cores. `ownFolder`: the folder with the sources of only this tool.
 * `ownModule`: the folder of its Go module, if it is not the one of the control plane.
 */
export interface GoSource {
  readonly goPackage: string;
  readonly about: string;
  readonly ownFolder?: string;
  readonly ownModule?: string;
  /** The folder of the module `goPackage` whose YAML files are the tool; nothing is built. */
  readonly yamlFolder?: string;
}

/** A program in a wheel of PyPI, for which there is no Go module that builds. */
interface WheelSource {
  readonly wheel: Wheel;
  readonly about: string;
}

type ToolSource = GoSource | WheelSource;

/** cert-manager and the ACME server that it is tested with; its path lies below cert-manager's (main.go). */
const CERT_MANAGER = 'cert-manager';

export const TOOLS = {
  etcd: { goPackage: './etcd', about: 'half a minute' },
  'kube-apiserver': { goPackage: 'k8s.io/kubernetes/cmd/kube-apiserver', about: '5 minutes' },
  kubectl: { goPackage: 'k8s.io/kubernetes/cmd/kubectl', about: 'half a minute' },
  helm: { goPackage: 'helm.sh/helm/v4/cmd/helm', about: 'half a minute' },
  'kube-controller-manager': { goPackage: 'k8s.io/kubernetes/cmd/kube-controller-manager', about: '2 minutes' },
  kubelet: { goPackage: 'k8s.io/kubernetes/cmd/kubelet', about: '2 minutes' },
  'kube-scheduler': { goPackage: 'k8s.io/kubernetes/cmd/kube-scheduler', about: 'half a minute' },
  'kube-proxy': { goPackage: 'k8s.io/kubernetes/cmd/kube-proxy', about: 'half a minute' },
  pause: { goPackage: './pause', about: '5 seconds', ownFolder: 'pause' },
  certcheck: { goPackage: './certcheck', about: 'a minute', ownFolder: 'certcheck' },
  podpeer: { goPackage: './podpeer', about: '5 seconds', ownFolder: 'podpeer' },
  csrclient: { goPackage: './csrclient', about: '5 seconds', ownFolder: 'csrclient' },
  bao: { wheel: OPENBAO, about: '5 seconds' },
  'cert-manager': { goPackage: '.', about: '3 minutes', ownFolder: CERT_MANAGER, ownModule: CERT_MANAGER },
  'cert-manager-crds': {
    goPackage: 'github.com/cert-manager/cert-manager',
    about: '5 seconds',
    ownModule: CERT_MANAGER,
    yamlFolder: 'deploy/crds',
  },
  pebble: { goPackage: pebbleCommand('pebble'), about: '10 seconds', ownModule: CERT_MANAGER },
  'pebble-challtestsrv': {
    goPackage: pebbleCommand('pebble-challtestsrv'),
    about: '10 seconds',
    ownModule: CERT_MANAGER,
  },
} as const satisfies Record<string, ToolSource>;

export type ToolName = keyof typeof TOOLS;
/** The tools that are built with Go. */
export type GoToolName = { [N in ToolName]: (typeof TOOLS)[N] extends GoSource ? N : never }[ToolName];
export type WheelToolName = Exclude<ToolName, GoToolName>;
export type ToolPaths<Name extends ToolName = ToolName> = Readonly<Record<Name, string>>;

/** The Go module of the tools, and everything that determines the build result. */
export interface ToolModule {
  readonly dir: string;
  /** Including the v, as in go.mod. */
  readonly kubernetesVersion: string;
  /** The minimum Go version, as in go.mod: `1.26.0`. */
  readonly goVersion: string;
  /** The name of the cache folder. Checkouts with the same key build the same programs. */
  readonly key: string;
  /** The file name of each tool in the cache. */
  readonly fileNames: ToolPaths;
}

const MODULE_DIR = fileURLToPath(new URL('../../control-plane/', import.meta.url));

export function isToolName(name: string): name is ToolName {
  return Object.hasOwn(TOOLS, name);
}

export function isGoTool(name: ToolName): name is GoToolName {
  return 'goPackage' in TOOLS[name];
}

export async function readToolModule(dir: string = MODULE_DIR): Promise<ToolModule> {
  const goMod = await readFile(join(dir, 'go.mod'), 'utf8');
  const kubernetesVersion = capture(goMod, /\bk8s\.io\/kubernetes (v[\d.]+)/);
  const hash = await hashFiles(dir, ['go.mod', 'go.sum', 'etcd/main.go']);
  const key = `${kubernetesVersion}-${process.platform}-${process.arch}-${hash}`;
  return { dir, kubernetesVersion, goVersion: capture(goMod, /^go ([\d.]+)$/m), key, fileNames: await fileNames(dir) };
}

/** Outside the checkout, so that new clones do not have to rebuild. */
export function cacheFolder(module: ToolModule, env: Environment): string {
  const base = env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache');
  return join(base, 'countersign', 'controlplane', module.key);
}

/** The folder in which Go builds the tool. */
export function moduleFolder(name: GoToolName, { dir }: Pick<ToolModule, 'dir'>): string {
  return join(dir, (TOOLS[name] as GoSource).ownModule ?? '.');
}

function pebbleCommand(name: string): string {
  return `github.com/letsencrypt/pebble/v2/cmd/${name}`;
}

async function fileNames(dir: string): Promise<ToolPaths> {
  const entries = Object.entries<ToolSource>(TOOLS).map(async ([name, source]) => {
    if ('wheel' in source) return [name, `${name}-${source.wheel.version}`];
    const own = await ownFiles(dir, source);
    return [name, own.length > 0 ? `${name}-${await hashFiles(dir, own)}` : name];
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** What determines only this tool. */
async function ownFiles(dir: string, { ownFolder, ownModule }: GoSource): Promise<string[]> {
  const sources = ownFolder === undefined ? [] : await filesIn(dir, ownFolder, isGoSource);
  const versions = ownModule === undefined ? [] : await filesIn(dir, ownModule, name => /^go\.(mod|sum)$/.test(name));
  return [...sources, ...versions];
}

function isGoSource(name: string): boolean {
  return name.endsWith('.go') && !name.endsWith('_test.go');
}

async function filesIn(dir: string, folder: string, isWanted: (name: string) => boolean): Promise<string[]> {
  const names = await readdir(join(dir, folder)).catch(() => []);
  return names
    .filter(isWanted)
    .toSorted()
    .map(name => join(folder, name));
}

async function hashFiles(dir: string, names: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const name of names)
    hash
      .update(name)
      .update('\0')
      .update(await readFile(join(dir, name)))
      .update('\0');
  return hash.digest('hex').slice(0, 12);
}

function capture(text: string, pattern: RegExp): string {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`go.mod of the control plane does not match ${pattern}`);
  return found;
}
