// `node test/support/node/main.ts`: runs a real node for manual use until Ctrl-C. With --install, only installs the
// Debian packages that it needs.

import { parseArgs } from 'node:util';
import { isContinuousIntegration } from '../continuous-integration.ts';
import { findPrograms, installPrograms } from './programs.ts';
import { startNode } from './real-node.ts';

const HELP = `Runs a Kubernetes node in separate namespaces until Ctrl-C. Needs root.
  node test/support/node/main.ts [IMAGES.tar ...]   Run the node with the images of these docker-archives.
  node test/support/node/main.ts --install          Only install the required Debian packages.
`;

async function main(): Promise<void> {
  const options = { install: { type: 'boolean' }, help: { type: 'boolean' } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (values.help) return print(HELP);
  if (values.install) return install();
  const programs = findPrograms();
  if (typeof programs === 'string') throw new Error(programs);
  const interrupted = new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });
  await using node = await startNode({ programs, imageArchives: positionals });
  print(`The node is ready. To use it:\n\n  export KUBECONFIG=${node.adminKubeconfig}\n\nPress Ctrl-C to stop it.\n`);
  const stay = setInterval(() => {}, 2 ** 30);
  await interrupted;
  clearInterval(stay);
}

/** A failed installation is fatal only in CI. Elsewhere the tests are skipped with the reason. */
function install(): void {
  if (typeof findPrograms() !== 'string') return;
  if (process.getuid?.() === 0) installPrograms();
  const missing = findPrograms();
  if (typeof missing !== 'string') return;
  print(`${missing}\n`);
  if (isContinuousIntegration(process.env)) process.exitCode = 1;
}

function print(text: string): void {
  process.stdout.write(text);
}

await main();
