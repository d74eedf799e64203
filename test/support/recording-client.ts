// A KubeClient that answers from a table and records every call, so that a test can assert the exact list of API calls.

import { RetryableError } from '@countersign/common/runtime/errors.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { WatchEvent } from '@countersign/common/runtime/reflector/watch-stream.ts';

export interface RecordedCall {
  readonly verb: 'get' | 'create' | 'update' | 'mergePatch';
  readonly path: string;
  readonly body?: unknown;
}

/**
 * Returns the response to one call, or throws to let it fail. undefined means "not found" for a read, and the request
 * body for a write.
 */
export type Answer = (call: RecordedCall) => unknown;

export class RecordingClient implements KubeClient {
  readonly namespace = 'countersign';
  readonly calls: RecordedCall[] = [];
  answer: Answer;

  constructor(answer: Answer = () => undefined) {
    this.answer = answer;
  }

  /** The write calls, except events. */
  get writes(): RecordedCall[] {
    return this.calls.filter(
      ({ verb, path }) => verb !== 'get' && !path.includes('/events') && !path.includes('reviews'),
    );
  }

  /** The recorded events, as `type reason: message`. */
  get events(): string[] {
    const bodies = this.calls.filter(({ path }) => path.includes('/events')).map(({ body }) => body);
    return bodies.map(body => {
      const { type, reason, message } = body as Record<string, string>;
      return `${type} ${reason}: ${message}`;
    });
  }

  async get<T>(path: string): Promise<T | undefined> {
    return this.#call({ verb: 'get', path }) as T | undefined;
  }

  async create<T>(path: string, body: unknown): Promise<T> {
    return (this.#call({ verb: 'create', path, body }) ?? body) as T;
  }

  async update<T>(path: string, body: unknown): Promise<T> {
    return (this.#call({ verb: 'update', path, body }) ?? body) as T;
  }

  async mergePatch<T>(path: string, body: unknown, mayStart?: () => boolean): Promise<T> {
    if (mayStart?.() === false) throw new RetryableError('not sent', { code: 'unknown' });
    return (this.#call({ verb: 'mergePatch', path, body }) ?? body) as T;
  }

  /** A watch without events. */
  async *watch(_path: string, signal: AbortSignal): AsyncIterable<WatchEvent> {
    await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }));
    yield* [];
  }

  async close(): Promise<void> {}

  #call(call: RecordedCall): unknown {
    this.calls.push(call);
    return this.answer(call);
  }
}
