// Reproducible pseudo-random numbers (mulberry32), so that a failing case can be repeated.

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Returns a number from 0 to `bound` - 1. */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }
}

/** Returns how to repeat this run. */
export function reproduction(): string {
  return `FUZZ_SEED=${fuzzSeed()}`;
}

/** The seed. Constant unless FUZZ_SEED is set. */
export function fuzzSeed(): number {
  return Number(process.env['FUZZ_SEED'] ?? 20_261_130);
}

/** The number of cases: FUZZ_CASES, or the default for CI. */
export function caseCount(usual: number): number {
  return Number(process.env['FUZZ_CASES'] ?? usual);
}
