// The commands of a page of the documentation, as its readers paste them into a shell.

import { execFile } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlPlane } from './control-plane/control-plane.ts';
import { findTools } from './control-plane/find-tools.ts';

/** The nth block of code in this language below a heading; throws where there is none. */
export function readBlock(page: string, heading: string, language: 'sh' | 'yaml', nth = 0): string {
  const section = page.split(/^## /m).find(text => text.startsWith(`${heading}\n`)) ?? '';
  const blocks = [...section.matchAll(new RegExp(`^( *)\`\`\`${language}\n([^]*?)^ *\`\`\`$`, 'gm'))];
  const [, indent = '', code] = blocks[nth] ?? [];
  if (code === undefined) throw new Error(`${heading} has ${blocks.length} blocks of ${language}`);
  return code.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
}

/** Runs the commands as the administrator, in the folder of the control plane; gives what they print, throws what they complain of. */
export async function paste({ dir, adminKubeconfig }: ControlPlane, commands: string): Promise<string> {
  const { kubectl } = await findTools(['kubectl']);
  await symlink(kubectl, join(dir, 'kubectl')).catch(error => {
    if (error.code !== 'EEXIST') throw error;
  });
  const env = { ...process.env, PATH: `${dir}:${process.env['PATH']}`, KUBECONFIG: adminKubeconfig };
  return new Promise((resolve, reject) => {
    execFile('bash', ['-euc', commands], { cwd: dir, env }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(stderr));
    });
  });
}
