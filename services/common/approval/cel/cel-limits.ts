// The limits within which CEL expressions are evaluated: CEL always terminates, but not always soon. Replaces the
// functions whose results can be much larger than their arguments. Pure.

import {
  type CelFunc,
  CelScalar,
  celFunc,
  celList,
  celListConcat,
  celMethod,
  isCelList,
  listType,
} from '@bufbuild/cel';

/** Characters of an expression. */
export const MAX_EXPRESSION = 1_024;
/** Macros that iterate (all, exists, exists_one, filter, map) in one expression. */
export const MAX_MACROS = 4;
/** How deep these may be nested: each level multiplies the steps by the length of a list. */
export const MAX_NESTING = 2;
/** Elements of a list, names in a request included. */
export const MAX_LIST = 128;
/** Characters of a text, one value in a request included. */
export const MAX_TEXT = 4_096;

const { BYTES, DYN, INT, STRING } = CelScalar;
const STRINGS = listType(STRING);
const LIST = listType(DYN);

function limited(text: string): string {
  if (text.length > MAX_TEXT) throw new Error(`a text exceeds ${MAX_TEXT} characters`);
  return text;
}

function limitedParts(parts: string[]): string[] {
  if (parts.length > MAX_LIST) throw new Error(`a list exceeds ${MAX_LIST} elements`);
  return parts;
}

function replaceAll(text: string, search: string, replacement: string): string {
  if (search === '') throw new Error('replace needs a text to search for');
  return limited(text.replaceAll(search, () => replacement));
}

function textsOf(list: Iterable<unknown>): readonly string[] {
  return [...list].map(item => {
    if (typeof item !== 'string') throw new Error('join needs a list of texts');
    return item;
  });
}

function unsupported(what: string): never {
  throw new Error(`${what} is not supported`);
}

/** Later functions replace earlier ones of the same signature. */
export const LIMITED_FUNCTIONS: readonly CelFunc[] = [
  celFunc('_+_', [STRING, STRING], STRING, (left, right) => limited(left + right)),
  celFunc('_+_', [LIST, LIST], LIST, (left, right) => {
    if (!isCelList(left) || !isCelList(right)) throw new Error('not a list');
    if (left.size + right.size > MAX_LIST) throw new Error(`a list exceeds ${MAX_LIST} elements`);
    return celListConcat(celList([...left]), celList([...right]));
  }),
  celMethod('split', STRING, [STRING], STRINGS, function (separator) {
    return limitedParts(this.split(separator));
  }),
  celMethod('split', STRING, [STRING, INT], STRINGS, () => unsupported('split with a limit')),
  celMethod('replace', STRING, [STRING, STRING], STRING, function (search, replacement) {
    return replaceAll(this, search, replacement);
  }),
  celMethod('replace', STRING, [STRING, STRING, INT], STRING, () => unsupported('replace with a limit')),
  celMethod('join', LIST, [], STRING, function () {
    return limited(textsOf(this).join(''));
  }),
  celMethod('join', LIST, [STRING], STRING, function (separator) {
    return limited(textsOf(this).join(separator));
  }),
  celMethod('format', STRING, [LIST], STRING, () => unsupported('format')),
  celFunc('_+_', [BYTES, BYTES], BYTES, () => unsupported('concatenation of bytes')),
];
