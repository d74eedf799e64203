// Bundles one service and its dependencies into files that Node can run, with source maps, licences and bill of
// materials. Builds are reproducible.

import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { describeMaterials } from './bill-of-materials.ts';

export const SERVICES = ['webhook', 'signer', 'approver'] as const;

export type Service = (typeof SERVICES)[number];

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Some dependencies are CommonJS and require built-in modules, but ES modules have no `require`. */
export const REQUIRE = "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);";

const CLIENT = '@kubernetes/client-node';

/**
 * No module of client-node has import side effects, but its package.json does not say so. With this, esbuild drops the
 * unused generated API models: 0.6 MB, 8 ms and 4 MB of memory per start (measured).
 */
const dropUnusedApiModels: Plugin = {
  name: 'drop-unused-api-models',
  setup: bundler => {
    bundler.onResolve({ filter: /./, namespace: 'file' }, async ({ path, pluginData, ...from }) => {
      const isClients = path.startsWith(CLIENT) || from.importer.includes(CLIENT);
      if (!isClients || pluginData === CLIENT) return undefined;
      const { importer, resolveDir, kind } = from;
      const found = await bundler.resolve(path, { importer, resolveDir, kind, pluginData: CLIENT });
      return found.path.includes(CLIENT) ? { ...found, sideEffects: false } : found;
    });
  },
};

/**
 * Loads built-in modules with `require`. An import reads all exports of a module, and the WebSocket export of node:http
 * loads Node's whole fetch implementation: 25 ms and 11 MB per start (measured).
 */
const requireBuiltins: Plugin = {
  name: 'require-builtins',
  setup: bundler => {
    bundler.onResolve({ filter: /./, namespace: 'file' }, ({ path, kind }) =>
      kind === 'import-statement' && isBuiltin(path) ? { path, namespace: 'builtin' } : undefined,
    );
    bundler.onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = require('${path}');`,
    }));
  },
};

/**
 * The parts that the services use of packages that esbuild cannot tree-shake: 20 ms and 8 MB per start (measured). A
 * missing name fails the build.
 */
const USED_PARTS: Readonly<Record<string, string>> = {
  // Connection pools. client-node also imports the other names but uses them only for a proxy-url, which
  // kube-credentials.ts rejects, and in its generated API classes, which are not used.
  undici: `
    import request from 'undici/lib/api/api-request.js';
    import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';
    Dispatcher.prototype.request = request;
    export { default as Agent } from 'undici/lib/dispatcher/agent.js';
    export const ProxyAgent = undefined, fetch = undefined;`,
  // Without pushgateway and the registries of clusters and workers, which load zlib and cluster: 8 ms per start.
  'prom-client': `
    export { default as Registry } from 'prom-client/lib/registry.js';
    export { default as Counter } from 'prom-client/lib/counter.js';
    export { default as Gauge } from 'prom-client/lib/gauge.js';
    export { default as Histogram } from 'prom-client/lib/histogram.js';
    export { default as collectDefaultMetrics } from 'prom-client/lib/defaultMetrics.js';`,
  // For undici and fastify: all connections and servers use HTTP/1.1. 5 ms per start.
  'node:http2': 'export const constants = {};',
  'socks-proxy-agent': 'export const SocksProxyAgent = undefined;',
  socks: 'export const SocksClient = undefined;',
  hpagent: 'export const HttpProxyAgent = undefined, HttpsProxyAgent = undefined;',
};

const keepUsedParts: Plugin = {
  name: 'keep-used-parts',
  setup: bundler => {
    const packages = new RegExp(`^(${Object.keys(USED_PARTS).join('|')})$`);
    bundler.onResolve({ filter: packages, namespace: 'file' }, ({ path }) => ({ path, namespace: 'used-parts' }));
    bundler.onLoad({ filter: /./, namespace: 'used-parts' }, ({ path }) => {
      const contents = USED_PARTS[path];
      return contents === undefined ? undefined : { contents, resolveDir: ROOT };
    });
  },
};

/** The programs that the compose stack runs in addition to the services. */
const COMPOSE_PROGRAMS = ['certificates', 'setup', 'request'];

/** Returns the folder in which the files of a service's image are built. */
export function bundleFolder(service: Service): string {
  return join(ROOT, 'dist', service);
}

/** Rebuilds `<service>.mjs` and its companion files. Replaces the folder atomically. */
export async function bundleService(service: Service, folder = bundleFolder(service)): Promise<void> {
  const draft = `${folder}.${process.pid}.partial`;
  await mkdir(draft, { recursive: true });
  try {
    const sources = await bundleInParts(service, draft);
    await writeFile(join(draft, 'sbom.cdx.json'), await describeMaterials(ROOT, service, sources));
    await rm(folder, { recursive: true, force: true });
    await rename(draft, folder);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Bundles the programs of the compose stack, which mounts the folder. */
export async function bundleComposePrograms(): Promise<void> {
  for (const program of COMPOSE_PROGRAMS)
    await bundleProgram(`compose/${program}.ts`, join(ROOT, 'dist', 'compose', `${program}.mjs`));
}

/**
 * Bundles a service into `<service>.mjs` and files of the modules that it imports dynamically: the signer takes 5 MB
 * less memory if CEL is not in its file (measured). Returns what bundleProgram does.
 */
function bundleInParts(service: Service, folder: string): Promise<readonly string[]> {
  const entryPoints = { [service]: `services/${service}/main.ts` };
  return bundle({ entryPoints, outdir: folder, outExtension: { '.js': '.mjs' }, splitting: true });
}

/**
 * Bundles a program into one file with a source map, and returns the source files included in it. `entryPoint` and the
 * returned paths are relative to the root of the repository. `own` overrides options of esbuild.
 */
export function bundleProgram(
  entryPoint: string,
  outfile: string,
  own: Pick<BuildOptions, 'banner' | 'legalComments' | 'minify' | 'sourcemap' | 'target'> = {},
): Promise<readonly string[]> {
  return bundle({ entryPoints: [entryPoint], outfile, ...own });
}

async function bundle(own: BuildOptions): Promise<readonly string[]> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node26',
    banner: { js: REQUIRE },
    sourcemap: 'linked',
    // Stack traces need positions only.
    sourcesContent: false,
    legalComments: 'external',
    logLevel: 'warning',
    ...own,
    metafile: true,
    plugins: [requireBuiltins, keepUsedParts, dropUnusedApiModels],
  });
  const parts = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs));
  return parts.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([source]) => source);
}
