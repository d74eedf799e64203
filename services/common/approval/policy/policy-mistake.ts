// One mistake in an ApprovalPolicy: the field and what is wrong with it. All mistakes of a policy are reported at
// once. Pure.

export interface PolicyMistake {
  /** Path of the field, such as `spec.allowed.dnsNames.values[0]`. */
  readonly field: string;
  readonly message: string;
}

/** A compiled part, and the mistakes found in it. The part is usable only if there are none. */
export interface Compiled<T> {
  readonly value: T;
  readonly mistakes: readonly PolicyMistake[];
}

/** Compiles each item of a list, and gathers the mistakes of all. */
export function compileEach<Item, T>(
  items: readonly Item[] | undefined,
  field: string,
  compile: (item: Item, field: string) => Compiled<T>,
): Compiled<readonly T[]> {
  const compiled = (items ?? []).map((item, at) => compile(item, `${field}[${at}]`));
  return { value: compiled.map(({ value }) => value), mistakes: compiled.flatMap(({ mistakes }) => mistakes) };
}
