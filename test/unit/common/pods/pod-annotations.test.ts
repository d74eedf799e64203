// The annotations by which the author of a pod asks for names.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDnsNameOrWildcard } from '@countersign/common/dns-name.ts';
import {
  COMMON_NAME,
  DNS_NAMES,
  MAX_ANNOTATION_LENGTH,
  MAX_DNS_NAMES,
  POD_ANNOTATIONS,
  prunePodAnnotations,
  readPodNames,
  TOO_LONG,
} from '@countersign/common/pods/pod-annotations.ts';
import * as fc from 'fast-check';
import { cpuMs } from '../../../support/cpu-time.ts';
import { oddText } from '../../../support/odd-text.ts';
import { errorOf, valueOf } from '../../../support/pki.ts';
import { buildPodRequest } from '../../../support/pod-request-builder.ts';
import { readVectors } from '../../../support/vectors.ts';

interface Case {
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly dnsNames?: readonly string[];
  readonly commonName?: string;
  readonly error?: string;
}

const read = (annotations: Readonly<Record<string, string>>) =>
  readPodNames(buildPodRequest({ annotations, stub: '' }));

const text = fc.oneof(oddText, fc.stringMatching(/^([a-zA-Z0-9.*-]|\$\{POD_NAME\}|\$POD_UID|,|\$){0,30}$/));
const key = fc.oneof(
  fc.constantFrom(...POD_ANNOTATIONS),
  fc.string({ maxLength: 20 }).map(end => `csi.cert-manager.io/${end}`),
);
const annotationsOf = fc.dictionary(key, text, { maxKeys: 3 });

describe('prunePodAnnotations', () => {
  it('known annotations are kept, and a value that is too long stays too long', () => {
    const value = 'x'.repeat(MAX_ANNOTATION_LENGTH);
    assert.deepEqual(prunePodAnnotations({ [DNS_NAMES]: value }), { [DNS_NAMES]: value });
    const tooLong = { [DNS_NAMES]: `${value}yz` };
    assert.deepEqual(read(prunePodAnnotations(tooLong)), read(tooLong));
  });

  it('all that a node can send takes no more memory than the longest list of names and a common name', () => {
    const value = 'x'.repeat(64 * 1024);
    const sizeOf = (annotations: Readonly<Record<string, string>>) => {
      const kept = Object.values(prunePodAnnotations(annotations)).filter(each => each !== TOO_LONG);
      return kept.join('').length;
    };
    assert.equal(sizeOf(Object.fromEntries(POD_ANNOTATIONS.map(each => [each, value]))), 0);
    assert.equal(sizeOf(Object.fromEntries(POD_ANNOTATIONS.map(each => [each, value.slice(0, 2_000)]))), 0);
    const longest = { [DNS_NAMES]: value.slice(0, 20_000), [COMMON_NAME]: value.slice(0, 2_000) };
    assert.equal(sizeOf(longest), 22_000);
    assert.equal(sizeOf({ [COMMON_NAME]: value.slice(0, 2_001) }), 0);
  });

  it('of unknown annotations one key is kept, since it decides', () => {
    const annotations = { [DNS_NAMES]: 'a', 'example.com/x': 'x'.repeat(200_000), 'example.com/y': '' };
    assert.deepEqual(prunePodAnnotations(annotations), { 'example.com/x': '' });
  });

  it('what is kept gives the same names or the same error', () => {
    fc.assert(
      fc.property(annotationsOf, annotations => {
        const pruned = read(prunePodAnnotations(annotations));
        assert.deepEqual(pruned, read(annotations));
      }),
    );
  });
});

describe('readPodNames', () => {
  for (const { name, annotations, error, dnsNames = [], commonName } of readVectors<Case[]>('pod-annotations.yaml')) {
    it(name, () => {
      const names = read(annotations);
      if (error === undefined) assert.deepEqual(valueOf(names), { dnsNames, commonName });
      else assert.equal(errorOf(names), error);
    });
  }

  it('a request without annotations asks for no names', () => {
    assert.deepEqual(valueOf(readPodNames(buildPodRequest())), { dnsNames: [], commonName: undefined });
  });

  it('a pod may have as many names as the maximum, and no more', () => {
    const names = Array.from({ length: MAX_DNS_NAMES + 1 }, (_, at) => `n${at}.example`);
    assert.equal(valueOf(read({ [DNS_NAMES]: names.slice(1).join() })).dnsNames.length, MAX_DNS_NAMES);
    assert.equal(
      errorOf(read({ [DNS_NAMES]: names.join() })),
      `userAnnotations key '${DNS_NAMES}' has more than 64 names`,
    );
  });

  it('a name may be as long as a DNS name, and no longer', () => {
    const longest = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`;
    assert.equal(longest.length, 253);
    assert.deepEqual(valueOf(read({ [DNS_NAMES]: longest })).dnsNames, [longest]);
    assert.match(errorOf(read({ [DNS_NAMES]: `${longest}d` })) ?? '', /which is not a DNS name/);
    assert.match(errorOf(read({ [DNS_NAMES]: `${'a'.repeat(64)}.example` })) ?? '', /which is not a DNS name/);
  });

  it('a value of 256 KiB costs no time, whatever is in it', () => {
    const size = 262_144;
    const began = cpuMs();
    for (const part of ['a', 'a.', '${', '$', ',', '$POD_NAME', '${POD_NAME},', '*.']) {
      const value = part.repeat(size / part.length);
      const expected = `userAnnotations key '${DNS_NAMES}' is longer than ${MAX_ANNOTATION_LENGTH} characters`;
      assert.equal(errorOf(read({ [DNS_NAMES]: value })), expected);
      const cut = read({ [DNS_NAMES]: value.slice(0, MAX_ANNOTATION_LENGTH) });
      assert.ok((errorOf(cut) ?? '').length < 700);
    }
    assert.ok(cpuMs() - began < 1_000);
  });

  it('every name that is read is a DNS name in lower case, and every error one line that kubelet can show', () => {
    fc.assert(
      fc.property(annotationsOf, annotations => {
        const names = read(annotations);
        if (!names.ok) return assert.match(names.error, /^(?=.{1,700}$)[ !#$&-[\]-~]*$/);
        const { dnsNames, commonName } = names.value;
        assert.ok(dnsNames.every(name => isDnsNameOrWildcard(name) && name === name.toLowerCase()));
        assert.equal(new Set(dnsNames).size, dnsNames.length);
        assert.ok(commonName === undefined || dnsNames.includes(commonName));
      }),
      { numRuns: 500 },
    );
  });

  it('a name that is read and asked for again is the same', () => {
    const name = fc.stringMatching(/^(\*\.)?([a-z0-9]{1,5}\.){0,3}[a-z]{1,5}$/);
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: MAX_DNS_NAMES }), names => {
        assert.deepEqual(valueOf(read({ [DNS_NAMES]: names.join(', ') })).dnsNames, names);
      }),
    );
  });
});
