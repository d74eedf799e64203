// Lets an issuer whose Vault server fails rest, so that a tenant's slow or broken server costs little however many
// requests there are: one of them tries again after a backoff, and the others wait with the same reason.

import { backoff } from '@countersign/common/runtime/backoff.ts';
import { VaultFault } from './vault-fault.ts';

interface Trouble {
  /** Identifies the settings and credentials that failed. */
  readonly key: string;
  readonly fault: VaultFault;
  readonly failures: number;
  /** Milliseconds of the clock. */
  readonly until: number;
}

interface Busy {
  readonly calls: number;
  readonly since: number;
}

/** Why an issuer is not asked now. */
export interface Resting {
  /** Undefined: the server has not answered the calls in flight for a while. */
  readonly fault: VaultFault | undefined;
  readonly forMs: number;
}

const BACKOFF = { minMs: 1_000, maxMs: 45_000 };
/** A server that has not answered a call for this long gets no further ones. */
const SLOW_AFTER_MS = 2_000;
/** Of all issuers that failed last time: each may hold a worker until the time limit of a call. */
const MAX_PROBES = 4;
const MAX_TROUBLES = 10_000;

export class IssuerRest {
  readonly #clock: () => number;
  readonly #troubles = new Map<string, Trouble>();
  readonly #busy = new Map<string, Busy>();
  #probes = 0;

  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  /** Undefined if the issuer may be asked. */
  find(uid: string, key: string): Resting | undefined {
    const trouble = this.#troubleOf(uid, key);
    const busy = this.#busy.get(uid);
    const now = this.#clock();
    if (trouble !== undefined && trouble.until > now) return { fault: trouble.fault, forMs: trouble.until - now };
    const isProbed = trouble !== undefined && (busy !== undefined || this.#probes >= MAX_PROBES);
    if (isProbed) return { fault: trouble.fault, forMs: BACKOFF.minMs };
    const isSlow = busy !== undefined && now - busy.since > SLOW_AFTER_MS;
    return isSlow ? { fault: undefined, forMs: SLOW_AFTER_MS } : undefined;
  }

  /** Runs one call for a certificate. Ends the rest of the issuer unless the call fails by the issuer's fault. */
  sign<T>(uid: string, key: string, call: () => Promise<T>): Promise<T> {
    return this.#ask(uid, key, call, () => true);
  }

  /** Runs one check. That the login succeeds says nothing about the path that signs: such a rest does not end. */
  check<T>(uid: string, key: string, call: () => Promise<T>): Promise<T> {
    return this.#ask(uid, key, call, ({ kind }) => kind !== 'denied');
  }

  async #ask<T>(uid: string, key: string, call: () => Promise<T>, ends: (fault: VaultFault) => boolean): Promise<T> {
    const trouble = this.#troubleOf(uid, key);
    const isProbe = trouble !== undefined;
    this.#begin(uid, isProbe);
    try {
      const result = await call();
      if (trouble === undefined || ends(trouble.fault)) this.#troubles.delete(uid);
      return result;
    } catch (error) {
      if (error instanceof VaultFault) this.#failed(uid, key, error);
      throw error;
    } finally {
      this.#end(uid, isProbe);
    }
  }

  #troubleOf(uid: string, key: string): Trouble | undefined {
    const trouble = this.#troubles.get(uid);
    return trouble?.key === key ? trouble : undefined;
  }

  #failed(uid: string, key: string, fault: VaultFault): void {
    // The server works, and the role has refused this request.
    if (fault.kind === 'refused') return void this.#troubles.delete(uid);
    const before = this.#troubleOf(uid, key);
    const now = this.#clock();
    // Calls that began together count as one failure.
    const failures = before === undefined ? 1 : before.until > now ? before.failures : before.failures + 1;
    this.#troubles.delete(uid);
    this.#troubles.set(uid, { key, fault, failures, until: now + backoff(failures, BACKOFF) });
    const [oldest] = this.#troubles.keys();
    if (this.#troubles.size > MAX_TROUBLES && oldest !== undefined) this.#troubles.delete(oldest);
  }

  #begin(uid: string, isProbe: boolean): void {
    const { calls, since } = this.#busy.get(uid) ?? { calls: 0, since: this.#clock() };
    this.#busy.set(uid, { calls: calls + 1, since });
    if (isProbe) this.#probes += 1;
  }

  /** An answer, whichever it is, shows that the server is not silent. */
  #end(uid: string, isProbe: boolean): void {
    const calls = (this.#busy.get(uid)?.calls ?? 1) - 1;
    if (calls === 0) this.#busy.delete(uid);
    else this.#busy.set(uid, { calls, since: this.#clock() });
    if (isProbe) this.#probes -= 1;
  }
}
