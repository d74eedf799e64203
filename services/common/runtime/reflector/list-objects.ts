// Lists a whole collection of the API, page by page, as one consistent list. Keeps no page; throws any error except an
// expired continue token.

import { setImmediate } from 'node:timers/promises';
import { RetryableError, TerminalError } from '../errors.ts';
import type { KubeClient } from '../kube/kube-client.ts';

/**
 * The page sizes: first a small page, so that work can begin; then as many objects as fit into a response (8 MB of
 * CSRs). Not fewer: 10 000 CSRs cost the API server 240 ms of CPU in pages of 2 500, and 330 ms in pages of 500
 * (measured).
 */
const FIRST_PAGE = 500;
const NEXT_PAGES = 2_500;
/** How long to process objects before other work gets its turn: a large page takes 50 ms. */
const SLICE_MS = 5;

/**
 * At least version 1 is any version that the API server has cached. Not version 0, which means the same but ignores the
 * limit. See the Kubernetes API concepts, "Semantics for get and list".
 */
const AT_HAND = { resourceVersion: '1', resourceVersionMatch: 'NotOlderThan' };

export interface ListOptions {
  readonly client: Pick<KubeClient, 'get'>;
  readonly path: string;
  readonly signal: AbortSignal;
  /**
   * Whether the list may be slightly stale. For the latest version the API server waits for etcd, up to 100 ms if
   * anything else in the cluster was just written.
   */
  readonly mayBeOld: boolean;
  /**
   * Called before the first object, and again when the list restarts after an expired continue token: earlier objects
   * are not part of it.
   */
  readonly onBegin: () => void;
  readonly onObject: (raw: unknown) => void;
}

interface Page {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: Iterable<unknown> | null;
}

/** Appends a query to a path that may have one already. */
export function withQuery(path: string, query: Readonly<Record<string, string>>): string {
  return `${path}${path.includes('?') ? '&' : '?'}${new URLSearchParams(query).toString()}`;
}

/**
 * Lists everything at `path` and returns the resourceVersion to watch from. Throws what the client throws, and
 * RetryableError if the resource does not exist.
 */
export async function listObjects(options: ListOptions): Promise<string> {
  try {
    return await listPages(options, { limit: FIRST_PAGE, nextLimit: NEXT_PAGES });
  } catch (error) {
    // 410: the continue token is older than the API server's history.
    if (error instanceof RetryableError && error.code === 'gone') return listWhole(options, error);
    throw error;
  }
}

/** Without pages, so that no token can expire; throws `expired` if that is too much for one response. */
async function listWhole(options: ListOptions, expired: RetryableError): Promise<string> {
  const { metadata, items } = await readPage(options, {}).catch((error: unknown) => {
    throw isTooLarge(error) ? expired : error;
  });
  options.onBegin();
  await processPage(options, items);
  return metadata?.resourceVersion ?? '';
}

/** Throws the signal's reason if it is aborted in between. */
async function processPage({ signal, onObject }: ListOptions, items: Page['items']): Promise<void> {
  let began = performance.now();
  for (const raw of items ?? []) {
    onObject(raw);
    if (performance.now() - began < SLICE_MS) continue;
    await setImmediate();
    signal.throwIfAborted();
    began = performance.now();
  }
}

/** The number of objects requested for this page, and for the next ones. */
interface Paging {
  limit: number;
  nextLimit: number;
}

async function listPages(options: ListOptions, paging: Paging): Promise<string> {
  let asked: Promise<Page> | undefined = readFitting(options, options.mayBeOld ? AT_HAND : {}, paging);
  let resourceVersion = '';
  while (asked !== undefined) {
    const { metadata, items }: Page = await asked;
    paging.limit = paging.nextLimit;
    asked = metadata?.continue ? readFitting(options, { continue: metadata.continue }, paging) : undefined;
    // The server prepares the next page while this one is processed; its errors are thrown when it is awaited.
    asked?.catch(() => undefined);
    await setImmediate();
    if (resourceVersion === '') options.onBegin();
    await processPage(options, items);
    resourceVersion = metadata?.resourceVersion ?? '';
  }
  return resourceVersion;
}

/** One page of a size that fits: if objects are large, this page and all that follow are requested smaller. */
async function readFitting(options: ListOptions, query: Query, paging: Paging): Promise<Page> {
  while (true) {
    try {
      return await readPage(options, { limit: `${paging.limit}`, ...query });
    } catch (error) {
      if (!isTooLarge(error) || paging.limit === 1) throw error;
      paging.limit = Math.ceil(paging.limit / 4);
      paging.nextLimit = paging.limit;
    }
  }
}

function isTooLarge(error: unknown): boolean {
  return error instanceof TerminalError && error.code === 'too-large';
}

type Query = Readonly<Record<string, string>>;

async function readPage(options: ListOptions, query: Query): Promise<Page> {
  const page = await options.client.get<Page>(withQuery(options.path, query), options.signal);
  if (page === undefined) {
    const message = `GET ${options.path}: unknown resource; check that its CRD is installed`;
    throw new RetryableError(message, { code: 'unknown' });
  }
  if (typeof page !== 'object' || page === null || !page.metadata?.resourceVersion) {
    throw new RetryableError(`GET ${options.path}: the response is not a list`, { code: 'server' });
  }
  return page;
}
