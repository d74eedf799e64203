// Compiles `spec.constraints`: durations and the private key, with the rules of approver-policy. Pure.

import { MILLISECOND, parseGoDuration } from '../../duration.ts';
import type { Constraints } from './approval-policy.ts';
import type { CompiledConstraints } from './compiled-policy.ts';
import type { Compiled, PolicyMistake } from './policy-mistake.ts';

const PATH = 'spec.constraints';
const ALGORITHMS = ['RSA', 'ECDSA', 'Ed25519'];
const MAX_SIZE = 8_192;

export function compileConstraints(constraints: Constraints = {}): Compiled<CompiledConstraints> {
  const { privateKey = {} } = constraints;
  const minimum = compileDuration(constraints.minDuration, 'minDuration');
  const maximum = compileDuration(constraints.maxDuration, 'maxDuration');
  const isReversed = minimum.value !== undefined && maximum.value !== undefined && maximum.value < minimum.value;
  return {
    value: {
      minDurationMs: minimum.value,
      maxDurationMs: maximum.value,
      algorithm: privateKey.algorithm,
      minSize: privateKey.minSize,
      maxSize: privateKey.maxSize,
    },
    mistakes: [
      ...minimum.mistakes,
      ...maximum.mistakes,
      ...(isReversed ? [mistake('maxDuration', 'must not be less than minDuration')] : []),
      ...keyMistakes(privateKey),
    ],
  };
}

function mistake(field: string, message: string): PolicyMistake {
  return { field: `${PATH}.${field}`, message };
}

function compileDuration(text: string | undefined, field: string): Compiled<number | undefined> {
  if (text === undefined) return { value: undefined, mistakes: [] };
  const duration = parseGoDuration(text);
  if (!duration.ok) return { value: undefined, mistakes: [mistake(field, duration.error)] };
  if (duration.value < 0n) return { value: undefined, mistakes: [mistake(field, 'must not be negative')] };
  return { value: Number(duration.value / MILLISECOND), mistakes: [] };
}

function keyMistakes(key: NonNullable<Constraints['privateKey']>): readonly PolicyMistake[] {
  const { algorithm, minSize, maxSize } = key;
  const sizes = { minSize, maxSize };
  const isUnknown = algorithm !== undefined && !ALGORITHMS.includes(algorithm);
  const isReversed = minSize !== undefined && maxSize !== undefined && maxSize < minSize;
  return [
    ...(isUnknown ? [mistake('privateKey.algorithm', `must be one of ${ALGORITHMS.join(', ')}`)] : []),
    ...Object.entries(sizes).flatMap(([name, size]) => sizeMistakes(`privateKey.${name}`, size, algorithm)),
    ...(isReversed ? [mistake('privateKey.maxSize', 'must not be less than minSize')] : []),
  ];
}

function sizeMistakes(
  field: string,
  size: number | undefined,
  algorithm: string | undefined,
): readonly PolicyMistake[] {
  if (size === undefined) return [];
  if (algorithm === 'Ed25519') return [mistake(field, 'Ed25519 keys all have the same size: remove it')];
  const isInRange = Number.isInteger(size) && size >= 0 && size <= MAX_SIZE;
  return isInRange ? [] : [mistake(field, `must be an integer from 0 to ${MAX_SIZE}`)];
}
