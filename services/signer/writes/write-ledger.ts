// What this replica has written to the status of requests: which cached objects its writes have made stale, and which writes were
// never answered, so that whether one has landed after all is seen by what the request has now. Reads and writes nothing itself.

import type { ObjectMeta } from '@countersign/common/csr.ts';
import { keyOf } from '@countersign/common/runtime/reflector/object-store.ts';

interface Written {
  readonly metadata: ObjectMeta;
}

interface Unanswered {
  /** Another object may have the same name by now. */
  readonly uid: string | undefined;
  /** Of each attempt: any of them may have landed. */
  readonly digests: Set<string>;
}

/** As many attempts as are remembered: an older one does not land any more, since it names a version of the CSR. */
const MAX_ATTEMPTS = 8;

export class WriteLedger {
  readonly #unanswered = new Map<string, Unanswered>();
  readonly #stale = new WeakSet<object>();

  /** A write was answered: the object, as it was before, is out of date until the watch brings what it has become. */
  noteAnswer(written: Written): void {
    this.#unanswered.delete(keyOf(written.metadata));
    this.#stale.add(written);
  }

  /** A write was not answered: it may still have landed. `digest` tells it from every other (RequestKind.digestOf). */
  noteSilence({ metadata }: Written, digest: string): void {
    const { uid } = metadata;
    const name = keyOf(metadata);
    const known = this.#unanswered.get(name);
    const { digests } = known !== undefined && known.uid === uid ? known : { digests: new Set<string>() };
    const [oldest] = digests.size < MAX_ATTEMPTS ? [] : digests;
    if (oldest !== undefined) digests.delete(oldest);
    this.#unanswered.set(name, { uid, digests: digests.add(digest) });
  }

  /** Whether the object was written over, so that nothing may be decided on it. */
  isStale(object: Written): boolean {
    return this.#stale.has(object);
  }

  /** The same for an older copy of what was written over. */
  markStale(object: Written): void {
    this.#stale.add(object);
  }

  /** Whether a write was never answered, so that nothing may be decided on a copy. */
  isInDoubt(name: string): boolean {
    return this.#unanswered.has(name);
  }

  /** Whether what the object has, by its digest, is what was written here, and not another replica's. */
  hasLanded({ metadata }: Written, digest: string): boolean {
    const known = this.#unanswered.get(keyOf(metadata));
    return known !== undefined && known.uid === metadata.uid && known.digests.has(digest);
  }

  /** The doubt is over: what has become of the writes is known. */
  settle(name: string): void {
    this.#unanswered.delete(name);
  }

  /** Keeps what is known of this very object alone. */
  keepOnly(name: string, uid: string | undefined): void {
    if (this.#unanswered.get(name)?.uid !== uid) this.#unanswered.delete(name);
  }

  /** Of the objects whose writes are in doubt, to be looked at again. */
  get inDoubt(): readonly string[] {
    return [...this.#unanswered.keys()];
  }
}
