// Bundles one service with all that it imports into a single file that Node runs as it is, with its source map, the licences
// that the sources carry, and a bill of materials. The same sources give the same bytes.

import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { describeMaterials } from './bill-of-materials.ts';

export const SERVICES = ['webhook', 'signer'] as const;

export type Service = (typeof SERVICES)[number];

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Some dependencies are CommonJS and require what is built into Node, which a module has no `require` for. */
const REQUIRE = "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);";

const CLIENT = '@kubernetes/client-node';

/**
 * Nothing in client-node has an effect by being imported, which it does not say itself. Knowing it, esbuild leaves out the
 * generated API models that nobody asks for: 0.6 MB, 8 ms and 4 MB of memory at each start (measured).
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
 * Takes what is built into Node by `require`. An import reads every name that a module has, and the WebSocket of node:http brings
 * in all of Node's fetch: 25 ms and 11 MB at each start (measured).
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
 * What the services use of some packages, which cannot be left out by itself: 20 ms and 8 MB at each start (measured). A name that
 * is missing here fails the build.
 */
const USED_PARTS: Readonly<Record<string, string>> = {
  // Connection pools. client-node names the others, and calls them only for a proxy-url, which kube-credentials.ts refuses, and
  // for requests that go through its own API classes, which nobody uses.
  undici: `
    import request from 'undici/lib/api/api-request.js';
    import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';
    Dispatcher.prototype.request = request;
    export { default as Agent } from 'undici/lib/dispatcher/agent.js';
    export const ProxyAgent = undefined, fetch = undefined;`,
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

/** What the containers of the compose stack run besides the services. */
const COMPOSE_PROGRAMS = ['certificates', 'setup', 'request'];

/** Where the files of a service's image are made. */
export function bundleFolder(service: Service): string {
  return join(ROOT, 'dist', service);
}

/** Makes `<service>.mjs` and what belongs to it anew in the folder, which holds all of it or what it held before. */
export async function bundleService(service: Service, folder = bundleFolder(service)): Promise<void> {
  const draft = `${folder}.${process.pid}.partial`;
  await mkdir(draft, { recursive: true });
  try {
    const program = join(draft, `${service}.mjs`);
    const sources = await bundleProgram(`services/${service}/main.ts`, program);
    await writeFile(join(draft, 'sbom.cdx.json'), await describeMaterials(ROOT, service, sources));
    await rm(folder, { recursive: true, force: true });
    await rename(draft, folder);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Makes the programs of the compose stack, which mounts the folder. */
export async function bundleComposePrograms(): Promise<void> {
  for (const program of COMPOSE_PROGRAMS)
    await bundleProgram(`compose/${program}.ts`, join(ROOT, 'dist', 'compose', `${program}.mjs`));
}

/**
 * Makes one file, and its source map beside it, of a program, and gives the files that something of is in it. `entryPoint` and
 * they are paths from the root of the repository.
 */
export async function bundleProgram(entryPoint: string, outfile: string): Promise<readonly string[]> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entryPoint],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node26',
    banner: { js: REQUIRE },
    sourcemap: 'linked',
    // A stack trace needs the places alone.
    sourcesContent: false,
    legalComments: 'external',
    logLevel: 'warning',
    metafile: true,
    plugins: [requireBuiltins, keepUsedParts, dropUnusedApiModels],
  });
  const parts = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs));
  return parts.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([source]) => source);
}
