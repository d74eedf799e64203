// Lists a collection of the API page by page. Knows no kind of object.

import type { Api } from './api.ts';

const PAGE = 500;

interface List<T> {
  readonly metadata?: { readonly continue?: string };
  readonly items?: readonly T[];
}

/** All of them, page by page. */
export async function listAll<T>(api: Api, collection: string, fieldSelector: string): Promise<readonly T[]> {
  const found: T[] = [];
  const query = new URLSearchParams({ limit: `${PAGE}`, ...(fieldSelector !== '' && { fieldSelector }) });
  for (;;) {
    const { body } = await api.send<List<T>>({ method: 'GET', path: `${collection}?${query.toString()}` });
    found.push(...(body.items ?? []));
    const next = body.metadata?.continue;
    if (!next) return found;
    query.set('continue', next);
  }
}
