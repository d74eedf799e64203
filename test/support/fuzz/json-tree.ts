// Mutates JSON values in one place: changes a type, removes, duplicates or renames a field, or makes a text or
// list huge.

import type { Random } from './random.ts';

type Container = Record<string, unknown> | unknown[];

const deep = (depth: number): unknown => (depth === 0 ? 'end' : [deep(depth - 1)]);

/** Values that parsers may not expect. */
const VALUES: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1.5, 600, 2 ** 31, 2 ** 53, 1e308, '', ' ', '0', 'true', 'null'],
  ...['é\u0000\ud800', '__proto__', 'constructor', 'a/b', '10m', '-1h', '9'.repeat(300), 'x'.repeat(100_000)],
  ...['issuers.cert-manager.io/sandbox.ca', 'clusterissuers.cert-manager.io/ca', 'foos.cert-manager.io/x', '%%%'],
  ...['CREATE', 'UPDATE', 'DELETE', 'digital signature', 'cert sign', 'DELETE '],
  ...[[], {}, [null], { '': '' }, { length: 3 }, Array.from({ length: 10_000 }, () => 'x'), deep(200)],
];
const KEYS = ['', '__proto__', 'constructor', 'toString', 'length', 'metadata', 'spec', 'object', 'uid', 'annotations'];

function allContainers(value: unknown): Container[] {
  if (typeof value !== 'object' || value === null) return [];
  const container = value as Container;
  return [container, ...Object.values(container).flatMap(allContainers)];
}

/**
 * Defines the property instead of assigning it, because `__proto__` is an ordinary key in JSON. Keys of lists
 * are numbers.
 */
function put(container: Container, key: string, value: unknown): void {
  if (Array.isArray(container)) return void container.splice(Number(key) || 0, 1, value);
  Object.defineProperty(container, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Mutates one to three places of a copy. */
export function mutateJson<T extends object>(sample: T, random: Random): unknown {
  const root = { root: structuredClone(sample) as unknown };
  for (let left = 1 + random.below(3); left > 0; left--) change(root, random);
  return root.root ?? null;
}

function change(root: { root: unknown }, random: Random): void {
  const container = random.pick(allContainers(root));
  const key = random.pick([...Object.keys(container), random.pick(KEYS)]);
  const other = random.pick(allContainers(root));
  switch (random.below(6)) {
    case 0:
      return void Reflect.deleteProperty(container, key);
    case 1:
      return put(container, random.pick(KEYS), new Map(Object.entries(container)).get(key) ?? null);
    case 2:
      return put(container, key, structuredClone(Object.values(other)[0] ?? null));
    default:
      return put(container, key, structuredClone(random.pick(VALUES)));
  }
}
