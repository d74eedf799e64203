// Tracks this replica's status writes: which cached objects they made stale, which requests they ended, and which were
// not answered, so that a later read can tell whether they were stored. Reads and writes nothing itself.

import type { ObjectMeta } from '@countersign/common/csr.ts';
import { keyOf } from '@countersign/common/runtime/reflector/object-store.ts';

interface Written {
  readonly metadata: ObjectMeta;
}

interface Unanswered {
  /** Another object may have the same name by now. */
  readonly uid: string | undefined;
  /** One per attempt: any of them may have been stored. */
  readonly digests: Set<string>;
}

/**
 * Maximum number of attempts remembered: older ones can no longer be stored, since they name an old resourceVersion.
 */
const MAX_ATTEMPTS = 8;
/** Ends remembered until the watch delivers them: more than can be written in the time that takes. */
const MAX_ENDS = 10_000;

export class WriteLedger {
  readonly #unanswered = new Map<string, Unanswered>();
  readonly #stale = new WeakSet<object>();
  /** Uids of requests that an answered write ended. */
  readonly #ended = new Set<string>();

  /** Records an answered write: the object it was based on is stale until the watch delivers the new version. */
  recordAnswer(written: Written): void {
    this.#unanswered.delete(keyOf(written.metadata));
    this.#stale.add(written);
    const [oldest] = this.#ended.size < MAX_ENDS ? [] : this.#ended;
    if (oldest !== undefined) this.#ended.delete(oldest);
    this.#ended.add(written.metadata.uid ?? '');
  }

  /** Whether an answered write ended the request with this uid; answers once. */
  takeEnd(uid: string | undefined): boolean {
    return this.#ended.delete(uid ?? '');
  }

  /** Records an unanswered write: it may still have been stored. `digest` identifies it (RequestKind.digestOf). */
  recordUnanswered({ metadata }: Written, digest: string): void {
    const { uid } = metadata;
    const name = keyOf(metadata);
    const known = this.#unanswered.get(name);
    const { digests } = known !== undefined && known.uid === uid ? known : { digests: new Set<string>() };
    const [oldest] = digests.size < MAX_ATTEMPTS ? [] : digests;
    if (oldest !== undefined) digests.delete(oldest);
    this.#unanswered.set(name, { uid, digests: digests.add(digest) });
  }

  /** Whether the object was overwritten, so that no decision may be based on it. */
  isStale(object: Written): boolean {
    return this.#stale.has(object);
  }

  /** Marks an older version of an overwritten object as stale. */
  markStale(object: Written): void {
    this.#stale.add(object);
  }

  /** Whether a write was not answered, so that no decision may be based on the cache. */
  isInDoubt(name: string): boolean {
    return this.#unanswered.has(name);
  }

  /** Whether the object's state, by its digest, was written by this replica. */
  wasStored({ metadata }: Written, digest: string): boolean {
    const known = this.#unanswered.get(keyOf(metadata));
    return known !== undefined && known.uid === metadata.uid && known.digests.has(digest);
  }

  /** Forgets unanswered writes whose outcome is now known. */
  settle(name: string): void {
    this.#unanswered.delete(name);
  }

  /** Forgets what is known about other objects of the same name. */
  keepOnly(name: string, uid: string | undefined): void {
    if (this.#unanswered.get(name)?.uid !== uid) this.#unanswered.delete(name);
  }

  /** The names of objects with unanswered writes, to be checked again. */
  get inDoubt(): readonly string[] {
    return [...this.#unanswered.keys()];
  }
}
