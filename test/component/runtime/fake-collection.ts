// A collection of the fake API server that behaves like etcd behind the watch cache: versions, pages, events since a
// version, 410 for compacted versions. Tests add the faults.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ObjectMeta } from '@countersign/common/csr.ts';
import { sendJson, sendStatus } from './fake-api-server.ts';

export interface Thing {
  readonly metadata: ObjectMeta;
  readonly value: number;
}

interface Change {
  readonly version: number;
  readonly line: string;
}

export class FakeCollection {
  readonly #things = new Map<string, Thing>();
  readonly #watchers = new Set<ServerResponse>();
  #changes: Change[] = [];
  #version = 100;
  #compacted = 0;

  put(name: string, value: number, namespace?: string): void {
    const type = this.#things.has(name) ? 'MODIFIED' : 'ADDED';
    this.#version += 1;
    const metadata = { name, resourceVersion: String(this.#version), ...(namespace ? { namespace } : {}) };
    this.#things.set(name, { metadata, value });
    this.#publish(type, this.#things.get(name));
  }

  delete(name: string): void {
    const thing = this.#things.get(name);
    if (thing === undefined) return;
    this.#things.delete(name);
    this.#version += 1;
    this.#publish('DELETED', { ...thing, metadata: { ...thing.metadata, resourceVersion: String(this.#version) } });
  }

  /** Forgets the history: a watch from an older version gets 410. */
  compact(): void {
    this.#compacted = this.#version;
    this.#changes = [];
  }

  bookmark(): void {
    const bookmark = { type: 'BOOKMARK', object: { metadata: { resourceVersion: String(this.#version) } } };
    for (const watcher of this.#watchers) watcher.write(`${JSON.stringify(bookmark)}\n`);
  }

  /** Ends all watches normally, or resets their connections. */
  endWatches(how: 'end' | 'reset'): void {
    for (const watcher of this.#watchers) {
      if (how === 'end') watcher.end();
      else watcher.socket?.resetAndDestroy();
    }
    this.#watchers.clear();
  }

  get watchCount(): number {
    return this.#watchers.size;
  }

  /** Name → value. */
  get contents(): Record<string, number> {
    return Object.fromEntries([...this.#things.values()].map(({ metadata, value }) => [metadata.name, value]));
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    const query = new URL(request.url ?? '', 'http://x').searchParams;
    if (query.has('watch')) this.#watch(Number(query.get('resourceVersion')), response);
    else this.#list(Number(query.get('limit')) || Number.POSITIVE_INFINITY, query.get('continue'), response);
  }

  #list(limit: number, token: string | null, response: ServerResponse): void {
    const [from, version] = token ? token.split('@').map(Number) : [0, this.#version];
    if (Number(version) < this.#compacted) return sendStatus(response, 410, 'Expired');
    const all = [...this.#things.values()];
    const to = Number(from) + limit;
    const metadata = { resourceVersion: String(version), ...(to < all.length ? { continue: `${to}@${version}` } : {}) };
    sendJson(response, 200, { metadata, items: all.slice(from, to) });
  }

  #watch(from: number, response: ServerResponse): void {
    if (from < this.#compacted) return sendStatus(response, 410, 'Expired');
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    for (const { version, line } of this.#changes) if (version > from) response.write(line);
    this.#watchers.add(response);
    response.on('close', () => this.#watchers.delete(response));
  }

  #publish(type: string, object: Thing | undefined): void {
    const line = `${JSON.stringify({ type, object })}\n`;
    this.#changes.push({ version: this.#version, line });
    for (const watcher of this.#watchers) watcher.write(line);
  }
}
