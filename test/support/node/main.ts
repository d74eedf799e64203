// `node test/support/node/main.ts`: a real node to work with by hand, until Ctrl-C. With --install it only puts the programs
// of the machine in place that a node needs (Debian packages).

import { parseArgs } from 'node:util';
import { isContinuousIntegration } from '../continuous-integration.ts';
import { findPrograms, installPrograms } from './programs.ts';
import { startNode } from './real-node.ts';

const HELP = `Runs a Kubernetes node in namespaces of its own until Ctrl-C. Needs root.
  node test/support/node/main.ts [IMAGES.tar ...]   with the images of docker-archives
  node test/support/node/main.ts --install          only install the Debian packages that it needs
`;

async function main(): Promise<void> {
  const options = { install: { type: 'boolean' }, help: { type: 'boolean' } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (values.help) return say(HELP);
  if (values.install) return install();
  const programs = findPrograms();
  if (typeof programs === 'string') throw new Error(programs);
  const interrupted = new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });
  await using node = await startNode({ programs, imageArchives: positionals });
  say(`The node is ready. To use it:\n\n  export KUBECONFIG=${node.adminKubeconfig}\n\nIt stays until Ctrl-C.\n`);
  const stay = setInterval(() => {}, 2 ** 30);
  await interrupted;
  clearInterval(stay);
}

/** What cannot be installed is fatal in CI alone: elsewhere the tests that need it are skipped, and say what is missing. */
function install(): void {
  if (typeof findPrograms() !== 'string') return;
  if (process.getuid?.() === 0) installPrograms();
  const missing = findPrograms();
  if (typeof missing !== 'string') return;
  say(`${missing}\n`);
  if (isContinuousIntegration(process.env)) process.exitCode = 1;
}

function say(text: string): void {
  process.stdout.write(text);
}

await main();
