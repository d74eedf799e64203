// Checks user-facing texts for words that English readers stumble over. Reasons and conditions of cert-manager do not
// use them either.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { OPTIONS as APPROVER_OPTIONS } from '@countersign/approver/options.ts';
import { OPTIONS as SIGNER_OPTIONS } from '@countersign/signer/options.ts';
import { OPTIONS as WEBHOOK_OPTIONS } from '@countersign/webhook/options.ts';
import { ROOT, readPages } from '../../support/docs/pages.ts';

/** Each word with its replacement. */
const FORBIDDEN: readonly (readonly [RegExp, string])[] = [
  [/\banew\b/i, 'again, create a new …'],
  [/\bfor ever\b/i, 'forever, indefinitely'],
  [/\bwho(so)?ever\b/i, 'anyone who, users who'],
  [/\bsomebody\b/i, 'someone, an administrator'],
  [/\b(CA|certificate|it) has ended\b/i, 'expired'],
  [/\b(is|are|was|were) told\b/i, 'learns, receives'],
  [/\blest\b/i, 'so that it does not, to avoid'],
  [/\bbesides\b/i, 'also, in addition'],
  [/\bbouncer\b|\bat the door\b|\blet in\b/i, 'admitted, denied'],
  [/\blook(s|ed)? again\b/i, 'requeue, check again'],
  [/\bmend(s|ed)?\b/i, 'fix, correct'],
  [/\btaken over\b/i, 'compromised, replaced'],
  [/\ball the same\b/i, 'nevertheless, still'],
  [/\bin vain\b/i, 'without success, failed'],
  [/\bpoke at\b/i, 'try, experiment with'],
  [/\bbecomes of\b/i, 'happens to'],
  [/\ba yes\b|\bthe yes\b/i, 'allowed'],
  [/\bdearer\b/i, 'costs more'],
  [/(^|[.:;] )Else\b/, 'Otherwise'],
];

interface Source {
  readonly path: string;
  readonly text: string;
}

async function readSources(): Promise<readonly Source[]> {
  const chart = await readdir(join(ROOT, 'charts'), { recursive: true });
  const templates = chart.filter(name => /\.(ya?ml|json|tpl|txt)$/.test(name)).map(name => join('charts', name));
  const files = templates.map(async path => ({ path, text: await readFile(join(ROOT, path), 'utf8') }));
  return [
    ...(await readPages()),
    ...(await Promise.all(files)),
    ...(['signer', 'webhook', 'approver'] as const).map(helpText),
  ];
}

function helpText(service: 'signer' | 'webhook' | 'approver'): Source {
  const options = { signer: SIGNER_OPTIONS, webhook: WEBHOOK_OPTIONS, approver: APPROVER_OPTIONS }[service];
  return {
    path: `--help of the ${service}`,
    text: Object.values(options)
      .map(({ help }) => help)
      .join('\n'),
  };
}

for (const { path, text } of await readSources()) {
  test(`${path} uses no word that an English reader stumbles over`, () => {
    const found = text
      .split('\n')
      .flatMap((line, at) =>
        FORBIDDEN.filter(([word]) => word.test(line)).map(
          ([word, instead]) => `${path}:${at + 1}: "${word.exec(line)?.[0]}": write "${instead}"`,
        ),
      );
    assert.deepEqual(found, []);
  });
}
