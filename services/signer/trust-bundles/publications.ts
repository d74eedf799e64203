// Which version of each issuer's Secret has had its trust bundle published, so that nothing is signed with a new CA
// before verifiers can know it. A request waits for that once, and never for long: a bundle that cannot be published
// must not stop issuance.

import { formatSignerName, type SignerRef } from '@countersign/common/signer-name.ts';

/** Publishing takes two requests to the API server. */
const LONGEST_WAIT_MS = 2_000;

/** In place of a version: no bundle is published for the issuer, whatever its Secret has. */
const NOT_PUBLISHED = Symbol('not published');

type Version = string | typeof NOT_PUBLISHED;

interface Wait {
  readonly version: string;
  readonly ended: Promise<void>;
  end(): void;
}

export class Publications {
  readonly #longestWaitMs: number;
  /** By signer name: what was settled last. */
  readonly #settled = new Map<string, Version>();
  /** By signer name. */
  readonly #waits = new Map<string, Wait>();

  constructor(longestWaitMs = LONGEST_WAIT_MS) {
    this.#longestWaitMs = longestWaitMs;
  }

  /** What was to be published for this version of the Secret is, or cannot be now. */
  settle(ref: SignerRef, version: string): void {
    this.#settle(formatSignerName(ref), version);
  }

  /** The issuer has no bundle. */
  settleNone(ref: SignerRef): void {
    this.#settle(formatSignerName(ref), NOT_PUBLISHED);
  }

  /** Ends all waits, where nothing can be published for any issuer. */
  settleAll(): void {
    for (const wait of this.#waits.values()) wait.end();
  }

  forget(ref: SignerRef): void {
    this.#settled.delete(formatSignerName(ref));
  }

  /**
   * Undefined when there is nothing to wait for; otherwise calls `publish`, unless another request has, and resolves
   * in time.
   */
  whenSettled(ref: SignerRef, version: string, publish: () => void): Promise<void> | undefined {
    const name = formatSignerName(ref);
    const settled = this.#settled.get(name);
    if (settled === version || settled === NOT_PUBLISHED) return undefined;
    const wait = this.#waits.get(name);
    if (wait?.version === version) return wait.ended;
    wait?.end();
    const { ended } = this.#startWait(name, version);
    publish();
    return ended;
  }

  #settle(name: string, version: Version): void {
    this.#settled.set(name, version);
    this.#waits.get(name)?.end();
  }

  /** After a timeout nothing waits for this version again. */
  #startWait(name: string, version: string): Wait {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      this.#settled.set(name, version);
      wait.end();
    }, this.#longestWaitMs);
    const wait: Wait = {
      version,
      ended: promise,
      end: () => {
        clearTimeout(timer);
        if (this.#waits.get(name) === wait) this.#waits.delete(name);
        resolve();
      },
    };
    this.#waits.set(name, wait);
    return wait;
  }
}
