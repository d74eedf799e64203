// Compares the parsing of durations and signer names with Go's time.ParseDuration and the API server's validation.
// FUZZ_CASES and FUZZ_SEED change the number and choice of cases.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatGoDuration, parseGoDuration } from '@countersign/common/duration.ts';
import { formatSignerName, parseSignerName } from '@countersign/common/signer-name.ts';
import { report } from '../../support/faults/figures.ts';
import { askGoAbout } from '../../support/fuzz/go-parser.ts';
import { caseCount, fuzzSeed, Random, reproduction } from '../../support/fuzz/random.ts';

const NUMBERS = ['0', '1', '9', '00', '2562047', '9223372036854775807', '9223372036854775808', '4611686018427387904'];
const FRACTIONS = ['.', '.5', '.000000001', '.9999999999999999999', '.922337203685477580799', '.123456789012345678'];
const UNITS = ['ns', 'us', '\u00b5s', '\u03bcs', 'ms', 's', 'm', 'h'];
const NO_UNITS = ['', 'd', 'H', ' s', 'ss', 'é', '"', '\\', '\n'];
const SIGNS = ['-', '+', '--', '+-', ' '];
const TAILS = [' ', '1', '.', '-1s', '\u0000', '\ud800', '😀'];

/** Returns the usual value, or an unusual one in one of `rarity` cases. */
function seldom<T>(random: Random, rarity: number, [usual, odd]: readonly [usual: T, odd: readonly T[]]): T {
  return random.below(rarity) === 0 ? random.pick(odd) : usual;
}

function duration(random: Random): string {
  const number = () => seldom(random, 3, [String(random.below(10 ** random.below(7))), [...NUMBERS, '']]);
  const unit = () => seldom(random, 12, [random.pick(UNITS), NO_UNITS]);
  const part = () => `${number()}${seldom(random, 3, ['', FRACTIONS])}${unit()}`;
  const parts = Array.from({ length: 1 + random.below(3) }, part).join('');
  const text = `${seldom(random, 6, ['', SIGNS])}${parts}${seldom(random, 12, ['', TAILS])}`;
  return random.below(5) === 0 ? changeOne(text, random) : text;
}

function changeOne(text: string, random: Random): string {
  const at = random.below(text.length + 1);
  const replaced = random.below(2);
  return text.slice(0, at) + random.pick(['', '.', '1', 'h', 's', '-', 'µ', '0', '/', 'A']) + text.slice(at + replaced);
}

describe('durations', () => {
  it('are parsed as in Go, or rejected with the same error', async t => {
    const random = new Random(fuzzSeed());
    const texts = Array.from({ length: caseCount(50_000) }, () => duration(random));
    const answers = await askGoAbout('duration', texts);
    const read = texts.map(text => {
      const parsed = parseGoDuration(text);
      return parsed.ok ? `ok ${parsed.value} ${formatGoDuration(parsed.value)}` : `error ${parsed.error}`;
    });
    const differing = texts.flatMap((text, at) =>
      read[at] === answers[at] ? [] : [`${reproduction()} ${JSON.stringify(text)}: ${read[at]} | ${answers[at]}`],
    );
    const count = read.filter(line => line.startsWith('ok')).length;
    assert.deepEqual(differing.slice(0, 5), [], `${differing.length} differ`);
    const hasEnoughCases = count > texts.length / 10 && count < texts.length * 0.9;
    report(t, 'fuzzedDurations', `${texts.length} texts: ${count} valid`, hasEnoughCases);
  });
});

const LABELS = ['a', '1', 'sandbox', 'my-ca', 'a'.repeat(63)];
const ODD_LABELS = ['a-', '-a', 'A', '', 'a'.repeat(64), 'a'.repeat(253), 'a_b', 'é', '..', 'a\n'];
const DOMAINS = ['issuers.cert-manager.io', 'clusterissuers.cert-manager.io'];
const ODD_DOMAINS = [
  'foos.cert-manager.io',
  'Issuers.cert-manager.io',
  '.cert-manager.io',
  'example.com',
  'issuers',
  '',
];

function signerName(random: Random): string {
  const domain = seldom(random, 8, [random.pick(DOMAINS), ODD_DOMAINS]);
  const label = () => seldom(random, 6, [random.pick(LABELS), ODD_LABELS]);
  const path = Array.from({ length: 1 + random.below(4) }, label).join('.');
  const text = `${domain}${seldom(random, 20, ['/', ['', '//', ' /']])}${path}`;
  return random.below(6) === 0 ? changeOne(text, random) : text;
}

describe('signer names', () => {
  it('that are accepted are valid for the API server and are written back unchanged', async t => {
    const random = new Random(fuzzSeed());
    const texts = Array.from({ length: caseCount(30_000) }, () => signerName(random));
    const answers = await askGoAbout('signer-name', texts);
    let read = 0;
    for (const [at, text] of texts.entries()) {
      const parsed = parseSignerName(text);
      if (!parsed.ok) continue;
      read += 1;
      const message = `${reproduction()} ${JSON.stringify(text)} ${answers[at]}`;
      assert.equal(formatSignerName(parsed.value), text, message);
      assert.equal(answers[at], 'ok ', message);
    }
    report(t, 'fuzzedSignerNames', `${texts.length} texts: ${read} valid`, read > texts.length / 20);
  });

  it('that the API server accepts are rejected only for an invalid resource, namespace or name', async t => {
    const random = new Random(fuzzSeed() + 1);
    const texts = Array.from({ length: caseCount(30_000) / 3 }, () => signerName(random));
    const answers = await askGoAbout('signer-name', texts);
    const accepted = texts.filter(
      (text, at) => answers[at] === 'ok ' && /^(?:cluster)?issuers\.cert-manager\.io\//.test(text),
    );
    for (const text of accepted) {
      const path = text.slice(text.indexOf('/') + 1);
      const [namespace = '', ...name] = path.split('.');
      const isCluster = text.startsWith('cluster');
      const canBe = isCluster
        ? path.length <= 253
        : namespace.length <= 63 && name.length > 0 && name.join('.').length <= 253;
      assert.equal(parseSignerName(text).ok, canBe, `${reproduction()} ${JSON.stringify(text)}`);
    }
    t.diagnostic(`${accepted.length} accepted by the API server`);
    assert.ok(accepted.length > texts.length / 20, 'too few useful cases');
  });
});
