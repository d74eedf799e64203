// The reflector's cache of objects, by key. Calls the change handler for real changes only; an error of a handler or a
// transform is logged and never stops the reflector.

import type { ObjectMeta } from '../../csr.ts';
import { shorten } from '../../short-text.ts';
import type { Logger } from '../process/log.ts';

/**
 * Called with one change: `before` is undefined for a new object, `now` for a deleted one. Must be quick and
 * only enqueue.
 */
export type ChangeHandler<T> = (key: string, now: T | undefined, before: T | undefined) => void;

/** An object as the API server sent it. */
export interface RawObject {
  readonly metadata: ObjectMeta;
}

/** Whether it has the fields of a key; nothing else is read here. */
export function isRawObject(value: unknown): value is RawObject {
  const metadata = (value as { metadata?: Partial<ObjectMeta> } | null | undefined)?.metadata;
  return typeof metadata?.name === 'string' && metadata.name !== '';
}

/** Identifies the object among all others of its kind. */
export function keyOf({ namespace, name }: ObjectMeta): string {
  return namespace ? `${namespace}/${name}` : name;
}

interface Stored<T> {
  readonly value: T;
  readonly version: string | undefined;
}

export interface ObjectStoreOptions<T> {
  readonly transform: (raw: unknown) => T;
  readonly onChange: ChangeHandler<T>;
  readonly log: Logger;
}

export class ObjectStore<T> {
  readonly #options: ObjectStoreOptions<T>;
  readonly #stored = new Map<string, Stored<T>>();

  constructor(options: ObjectStoreOptions<T>) {
    this.#options = options;
  }

  get size(): number {
    return this.#stored.size;
  }

  get(key: string): T | undefined {
    return this.#stored.get(key)?.value;
  }

  *values(): Generator<T> {
    for (const { value } of this.#stored.values()) yield value;
  }

  /** Stores one object and returns its key. */
  set(raw: RawObject): string {
    const key = keyOf(raw.metadata);
    const before = this.#stored.get(key);
    const version = raw.metadata.resourceVersion;
    // The same version again: a list after a gap repeats unchanged objects.
    if (before !== undefined && version !== undefined && before.version === version) return key;
    const value = this.#transform(key, raw);
    if (value === undefined) this.#deleteKey(key);
    else {
      this.#stored.set(key, { value, version });
      this.#notify(key, value, before?.value);
    }
    return key;
  }

  delete(raw: RawObject): void {
    this.#deleteKey(keyOf(raw.metadata));
  }

  /** Deletes everything that a complete list did not include; `listed` has the keys that `set` returned. */
  keepOnly(listed: ReadonlySet<string>): void {
    for (const key of this.#stored.keys()) if (!listed.has(key)) this.#deleteKey(key);
  }

  #deleteKey(key: string): void {
    const before = this.#stored.get(key);
    if (before === undefined) return;
    this.#stored.delete(key);
    this.#notify(key, undefined, before.value);
  }

  /** An invalid object must not hide all others: it counts as absent. */
  #transform(key: string, raw: RawObject): T | undefined {
    try {
      return this.#options.transform(raw);
    } catch (error) {
      this.#options.log.error({ err: error, key: shorten(key) }, 'cannot parse object, skipping it');
      return undefined;
    }
  }

  #notify(key: string, now: T | undefined, before: T | undefined): void {
    try {
      this.#options.onChange(key, now, before);
    } catch (error) {
      this.#options.log.error({ err: error, key }, 'change handler failed');
    }
  }
}
