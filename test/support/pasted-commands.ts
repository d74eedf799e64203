// Runs commands from a documentation page, as readers paste them into a shell, and compares their output with the page.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlPlane } from './control-plane/control-plane.ts';
import { findTools } from './control-plane/find-tools.ts';

interface Block {
  readonly language: string;
  readonly code: string;
}

/** Returns the nth code block in this language below a heading; throws if there is none. */
export function readBlock(page: string, heading: string, language: 'sh' | 'yaml', nth = 0): string {
  const blocks = readBlocks(page, heading).filter(block => block.language === language);
  const block = blocks[nth];
  if (block === undefined) throw new Error(`${heading} has ${blocks.length} blocks of ${language}`);
  return block.code;
}

/** Returns the fenced blocks between a heading and the next one of the same level. */
function readBlocks(page: string, heading: string): readonly Block[] {
  const section = page.split(/^## /m).find(text => text.startsWith(`${heading}\n`)) ?? '';
  const blocks = section.matchAll(/^( *)```(\w+)\n([^]*?)^ *```$/gm);
  return [...blocks].map(([, indent = '', language = '', code = '']) => ({
    language,
    code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }));
}

interface Output {
  readonly code: number;
  /** Of both streams. */
  readonly text: string;
  readonly stdout: string;
}

/**
 * Runs the commands as the administrator in the folder of the control plane. Returns what they print; throws their
 * output if they fail.
 */
export async function paste(controlPlane: ControlPlane, commands: string): Promise<string> {
  const { code, text, stdout } = await run(controlPlane, commands);
  if (code !== 0) throw new Error(text);
  return stdout;
}

/**
 * Runs the blocks `sh` of a section in order. A block `text` below one is the output that the page shows, in which `…`
 * stands for anything, and a line `…` for any lines; a command that must fail shows `Error`.
 */
export async function followSection(controlPlane: ControlPlane, page: string, heading: string): Promise<void> {
  const blocks = readBlocks(page, heading).filter(({ language }) => language === 'sh' || language === 'text');
  assert.ok(blocks.length > 0, `${heading}: no commands`);
  for (const [at, { language, code }] of blocks.entries()) {
    const next = blocks[at + 1];
    if (language === 'sh') await runAsShown(controlPlane, code, next?.language === 'text' ? next.code : '');
  }
}

const READS_ONLY = /^(kubectl (get|describe|wait) .*\n?)+$/;
const PATIENCE_MS = 20_000;

async function runAsShown(controlPlane: ControlPlane, commands: string, shown: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const { code, text } = await run(controlPlane, commands);
    const isExpected = isAsShown(text, shown) && (code === 0 || shown.includes('Error'));
    if (isExpected) return;
    if (!READS_ONLY.test(commands) || performance.now() > deadline)
      return assert.fail(`${commands}\nended with ${code} and printed:\n${text}\ninstead of:\n${shown}`);
    await sleep(200);
  }
}

/**
 * Whether an output has the lines that a page shows of it, one after the other. If the page shows nothing, any
 * output matches.
 */
export function isAsShown(output: string, shown: string): boolean {
  return toPattern(shown).test(squeeze(output));
}

/** Columns are as wide as their content, and ages pass. */
function squeeze(text: string): string {
  const lines = text.split('\n').map(line => line.trim().replaceAll(/\s+/g, ' '));
  return lines
    .filter(line => line !== '')
    .join('\n')
    .replaceAll(/\b\d+m?s\b/g, '0s');
}

function toPattern(shown: string): RegExp {
  if (shown === '') return /(?:)/;
  const escaped = squeeze(shown).replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const lines = escaped.replaceAll(/^…\n/gm, '(?:.*\n)*?').replaceAll(/\n…$/g, '(?:\n.*)*');
  return new RegExp(`^${lines.replaceAll('…', '.*')}$`, 'm');
}

async function run({ dir, adminKubeconfig }: ControlPlane, commands: string): Promise<Output> {
  const { kubectl } = await findTools(['kubectl']);
  await symlink(kubectl, join(dir, 'kubectl')).catch(error => {
    if (error.code !== 'EEXIST') throw error;
  });
  const env = { ...process.env, PATH: `${dir}:${process.env['PATH']}`, KUBECONFIG: adminKubeconfig };
  return new Promise(resolve => {
    execFile('bash', ['-euc', commands], { cwd: dir, env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : 1, text: stdout + stderr, stdout });
    });
  });
}
