// Test fixture for a reflector: a fake server with one collection, its client, and the reflector's logs and metrics.

import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import { createLogger } from '@countersign/common/runtime/process/log.ts';
import { Reflector, type ReflectorOptions } from '@countersign/common/runtime/reflector/reflector.ts';
import { until } from '../../support/until.ts';
import { type FakeApiServer, type Handler, startFakeApiServer } from './fake-api-server.ts';
import { FakeCollection, type Thing } from './fake-collection.ts';

export const PATH = '/apis/example.test/v1/things';

/** Longer than the test timeout. */
export const LONG_MS = 60_000;

/**
 * Delays are short; timeouts of requests and watches are longer than any test, so that a busy machine does not
 * hit them.
 */
export const TIMING = {
  backoffMinMs: 2,
  backoffMaxMs: 10,
  idleMs: LONG_MS,
  healthyMs: 50,
  quietMs: LONG_MS,
  absentMs: 5,
};

export class ReflectorFixture {
  /** Starts with two objects: a = 1 and b = 2. */
  readonly things = new FakeCollection();
  /** Log lines. */
  readonly lines: string[] = [];
  /** Why watches ended. */
  readonly ends: string[] = [];
  /** Number of completed lists. */
  lists = 0;
  /** The reported sizes. */
  readonly sizes: number[] = [];
  /** `key: value before -> value now`. */
  readonly changes: string[] = [];
  readonly #server: FakeApiServer;
  readonly #client: KubeClient;
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  private constructor(server: FakeApiServer) {
    this.#server = server;
    this.#client = server.client(LONG_MS);
    this.things.put('a', 1);
    this.things.put('b', 2);
    server.handle((request, response) => this.things.serve(request, response));
  }

  static async create(): Promise<ReflectorFixture> {
    return new ReflectorFixture(await startFakeApiServer());
  }

  start(options: Partial<ReflectorOptions<Thing>> = {}): Reflector<Thing> {
    const reflector = new Reflector<Thing>({
      client: this.#client,
      path: PATH,
      name: 'things',
      log: createLogger({
        service: 'test',
        level: 'debug',
        destination: { write: line => void this.lines.push(line) },
      }),
      metrics: {
        onList: () => (this.lists += 1),
        setSize: (_, size) => void this.sizes.push(size),
        onWatchEnd: (_, reason) => void this.ends.push(reason),
      },
      onChange: (key, now, before) =>
        void this.changes.push(`${key}: ${before?.value ?? 'none'} -> ${now?.value ?? 'none'}`),
      timing: TIMING,
      ...options,
    });
    this.#running = reflector.run(this.#stop.signal);
    return reflector;
  }

  /** Starts a reflector and waits until it watches; clears what it reported so far. */
  async startSynced(options: Partial<ReflectorOptions<Thing>> = {}): Promise<Reflector<Thing>> {
    const reflector = this.start(options);
    await this.until(() => reflector.hasSynced && this.things.watchCount === 1);
    this.changes.length = 0;
    return reflector;
  }

  /** Like `until`, with the last log lines in its error. */
  async until(condition: () => boolean): Promise<void> {
    await until(condition).catch((cause: Error) => {
      throw new Error(`${cause.message}; log: ${this.lines.slice(-3).join('')}`, { cause });
    });
  }

  handle(handler: Handler): void {
    this.#server.handle(handler);
  }

  get requests(): readonly string[] {
    return this.#server.requests;
  }

  count(kind: 'list' | 'watch'): number {
    return this.requests.filter(line => line.includes('watch=1') === (kind === 'watch')).length;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async close(): Promise<void> {
    await this.stop();
    await this.#client.close();
    await this.#server.close();
  }
}

/** Name → value, as FakeCollection.contents. */
export function contentsOf(reflector: Reflector<Thing>): Record<string, number> {
  return Object.fromEntries(Array.from(reflector.list(), ({ metadata, value }) => [metadata.name, value]));
}
