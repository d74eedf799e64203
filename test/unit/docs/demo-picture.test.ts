// docs/demo.svg shows what the demo prints today. Only the fixed parts are compared, so that no cluster is needed.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { denialText } from '@countersign/common/reference-permission.ts';
import { EXCERPT } from '../../../tools/docs/generate-demo-picture.ts';
import { drawTerminal } from '../../../tools/docs/terminal-picture.ts';
import { runDemoSteps } from '../../demo/steps.ts';

/** Returns the lines of a picture. */
function linesOf(svg: string): readonly string[] {
  const entities: Readonly<Record<string, string>> = { '&lt;': '<', '&gt;': '>', '&amp;': '&' };
  return [...svg.matchAll(/<text [^>]*>(.*)<\/text>/g)].map(([, line = '']) =>
    line.replace(/<[^>]+>/g, '').replace(/&\w+;/g, entity => entities[entity] ?? entity),
  );
}

/** Ignores where lines are wrapped. */
const normalize = (text: string) => text.replace(/\s+/g, ' ').trim();

/** Returns the headings and commands of the demo without running them. */
async function recordDemo(): Promise<readonly string[]> {
  const dir = await mkdtemp(join(tmpdir(), 'countersign-demo-'));
  const lines: string[] = [];
  const narrator = {
    heading: (text: string) => void lines.push(text),
    run: async (words: readonly string[]) => {
      lines.push(`$ ${words.join(' ')}`);
      const at = words.indexOf('-out');
      if (at !== -1) await writeFile(join(dir, words[at + 1] ?? ''), '');
    },
    explain: () => {},
    show: () => {},
    shell: async (line: string) => {
      const [, file] = / > (\S+)$/.exec(line) ?? [];
      if (file !== undefined) await writeFile(join(dir, file), '');
    },
    fetchLines: async () => {},
  };
  const urls = { signerUrl: '', webhookUrl: '', vault: { url: '' } };
  await runDemoSteps({ narrator, dir, namespace: 'countersign', ...urls });
  await rm(dir, { recursive: true });
  return lines;
}

test('docs/demo.svg shows headings and commands of the current demo (if not, run `npm run docs:demo`)', async () => {
  const picture = linesOf(await readFile(new URL('../../../docs/demo.svg', import.meta.url), 'utf8'));
  const printed = await recordDemo();
  assert.deepEqual(
    EXCERPT.filter(line => !picture.includes(line) || !printed.includes(line)),
    [],
  );
});

test('docs/demo.svg shows the current denial message (if not, run `npm run docs:demo`)', async () => {
  const picture = linesOf(await readFile(new URL('../../../docs/demo.svg', import.meta.url), 'utf8'));
  const denial = denialText({ kind: 'Issuer', namespace: 'sandbox', name: 'my-issuer' }, 'mallory');
  const shown = normalize(picture.join('\n'));
  assert.ok(shown.includes(normalize(denial)), shown);
});

test('a terminal picture keeps ANSI styles, escapes XML and wraps long lines at a space', () => {
  const svg = drawTerminal(
    `\u001b[1;36mbold\u001b[22m cyan\u001b[39m <&>\n${'x'.repeat(100)} ${'y'.repeat(100)}`,
    'test',
  );
  assert.match(svg, /<tspan class="b c">bold<\/tspan><tspan class="c"> cyan<\/tspan> &lt;&amp;&gt;/);
  assert.deepEqual(linesOf(svg), ['bold cyan <&>', 'x'.repeat(100), 'y'.repeat(100)]);
});
