// Runs the demo and writes docs/demo.svg, a picture of an excerpt of its output in a terminal. Needs the tools of
// `make tools`.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { drawTerminal } from './terminal-picture.ts';

const DEMO = fileURLToPath(new URL('../../test/demo/main.ts', import.meta.url));
const DESCRIPTION =
  'A CSR from a user without permission is denied at creation; a CSR from a user with permission is signed.';

/** The headings and commands in the picture, in the order of the demo. The output of each command is included. */
export const EXCERPT: readonly string[] = [
  '2. Request a certificate without permission',
  '$ kubectl --kubeconfig mallory.kubeconfig create -f mallory.yaml',
  '3. Request a certificate with permission',
  '$ kubectl --kubeconfig jane.kubeconfig create -f jane.yaml',
  '$ kubectl certificate approve jane',
  '$ kubectl get csr jane',
  '$ openssl verify -CAfile ca.crt jane.crt',
];

/** Selects the excerpt. The demo indents the output of commands; the picture does not. */
function selectExcerpt(output: string): string {
  const lines = output.split('\n');
  return EXCERPT.map(wanted => {
    const start = lines.findIndex(line => stripVTControlCharacters(line) === wanted);
    if (start === -1) throw new Error(`the demo did not print "${wanted}"`);
    const rest = lines.slice(start + 1);
    const end = rest.findIndex(line => !line.startsWith('  '));
    const printed = rest.slice(0, end).map(line => line.slice(2));
    return [...(wanted.startsWith('3') ? [''] : []), lines[start], ...printed].join('\n');
  }).join('\n');
}

async function runDemo(): Promise<string> {
  const env = { ...process.env, FORCE_COLOR: '1' };
  const demo = spawn(process.execPath, [DEMO, '--once'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [output, [code]] = await Promise.all([text(demo.stdout), once(demo, 'exit')]);
  if (code !== 0) throw new Error(`the demo failed with exit code ${code}`);
  return output;
}

if (import.meta.main) {
  const picture = drawTerminal(selectExcerpt(await runDemo()), DESCRIPTION);
  await writeFile(new URL('../../docs/demo.svg', import.meta.url), picture);
}
