// Numbers that look random and are the same in every run of one seed (mulberry32), so that a case that fails can be made again.

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to, and without, `bound`. */
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

/** How to make a case of this run again. */
export function reproduction(): string {
  return `FUZZ_SEED=${fuzzSeed()}`;
}

/** The same in every run, unless FUZZ_SEED asks for other cases. */
export function fuzzSeed(): number {
  return Number(process.env['FUZZ_SEED'] ?? 20_261_130);
}

/** How many cases a fuzzer tries: as many as it needs in continuous integration, or FUZZ_CASES. */
export function caseCount(usual: number): number {
  return Number(process.env['FUZZ_CASES'] ?? usual);
}
