// The Markdown files that users and contributors read, with their links and anchors.

import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export interface Page {
  /** Relative to the root of the repository: `docs/README.md`. */
  readonly path: string;
  readonly text: string;
}

const FOLDERS = ['.', 'docs', 'docs/adr', 'charts/countersign'];

export async function readPages(): Promise<readonly Page[]> {
  const paths = await Promise.all(
    FOLDERS.map(async folder => {
      const names = await readdir(join(ROOT, folder));
      return names.filter(name => name.endsWith('.md')).map(name => normalize(join(folder, name)));
    }),
  );
  return Promise.all(paths.flat().map(async path => ({ path, text: await readFile(join(ROOT, path), 'utf8') })));
}

export interface Link {
  /** As it is written: `../README.md#install`. */
  readonly written: string;
  /** Relative to the root of the repository, without the anchor. */
  readonly path: string;
  /** Without `#`; empty if there is none. */
  readonly anchor: string;
}

/** Links and images of a page to files of the repository; those to other sites are left out. */
export function findLinks({ path, text }: Page): readonly Link[] {
  const written = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return written
    .filter(target => !/^[a-z]+:/.test(target))
    .map(target => {
      const [file = '', anchor = ''] = target.split('#');
      return { written: target, path: file === '' ? path : normalize(join(dirname(path), file)), anchor };
    });
}

/** The anchors that GitHub makes of the headings of a page. */
export function findAnchors({ text }: Page): ReadonlySet<string> {
  const counts = new Map<string, number>();
  const anchors = [...withoutFences(text).matchAll(/^#{1,6} +(.+?)\s*$/gm)].map(([, heading = '']) => {
    const anchor = toAnchor(heading);
    const count = counts.get(anchor) ?? 0;
    counts.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
  return new Set(anchors);
}

function toAnchor(heading: string): string {
  const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
  return plain.replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '').replaceAll(' ', '-');
}

function withoutFences(text: string): string {
  return text.replaceAll(/^ *```[^]*?^ *```$/gm, '');
}

function withoutCode(text: string): string {
  return withoutFences(text).replaceAll(/`[^`\n]*`/g, '');
}
