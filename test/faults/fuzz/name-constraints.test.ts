// Checks all kinds of name constraints and names, under one CA or two. A request must be refused exactly if Go or
// OpenSSL rejects the certificate. FUZZ_CASES and FUZZ_SEED change the number and choice of cases.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { findNameViolations } from '@countersign/common/name-violations.ts';
import type { Extension } from '@countersign/common/x509/extension.ts';
import {
  type ConstrainedCa,
  parseNameConstraints,
} from '@countersign/common/x509/name-constraints/constraint-subtrees.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';
import { buildCertificate, createHolder, nameOf } from '../../support/certificate-builder.ts';
import { report } from '../../support/faults/figures.ts';
import { sampleAltNames, sampleConstraints, sampleSubject } from '../../support/fuzz/name-constraint-samples.ts';
import { caseCount, fuzzSeed, Random } from '../../support/fuzz/random.ts';
import { type OpensslError, type SignedLeaves, verifyWithGo, verifyWithOpenssl } from '../../support/fuzz/verifiers.ts';
import { valueOf } from '../../support/pki.ts';

const LEAVES = 10;
const [ROOT, SUB, LEAF] = ['root', 'sub', 'leaf'].map(createHolder) as [Holder, Holder, Holder];
type Holder = ReturnType<typeof createHolder>;

/** OpenSSL error codes: unspecified, permitted, excluded, minimum or maximum, type, constraint syntax, name syntax. */
const NAME_ERRORS: ReadonlySet<number> = new Set([1, 47, 48, 49, 51, 52, 53]);

interface Case {
  readonly refusals: readonly string[];
  readonly shown: string;
}

interface Chain extends SignedLeaves {
  readonly cases: readonly Case[];
}

function sampleExtension(random: Random): Extension {
  return { oid: EXTENSION.nameConstraints, critical: random.below(4) === 0, value: sampleConstraints(random) };
}

/** Constrains the root, the CA below it, or both. */
function sampleChain(random: Random): Chain {
  const constrained = random.pick([['root'], ['sub'], ['root', 'sub'], ['sub', 'unconstrained root']]);
  const hasSub = constrained.includes('sub') || random.below(2) === 0;
  const [ofSub, ofRoot] = ['sub', 'root'].map(name =>
    constrained.includes(name) ? sampleExtension(random) : undefined,
  );
  const root = buildCertificate(ROOT, ROOT, { extensions: ofRoot === undefined ? [] : [ofRoot] });
  const sub = buildCertificate(SUB, ROOT, { extensions: ofSub === undefined ? [] : [ofSub] });
  const cas = [ofSub, ofRoot].flatMap(extension => (extension === undefined ? [] : [toCa(extension)]));
  const leaves = Array.from({ length: LEAVES }, () => sampleLeaf(random, cas, hasSub ? SUB : ROOT));
  return { cas: hasSub ? [sub, root] : [root], leaves: leaves.map(({ pem }) => pem), cases: leaves };
}

function toCa(extension: Extension): ConstrainedCa {
  return { subject: nameOf('ca').subarray(2), constraints: valueOf(parseNameConstraints(extension)) };
}

function sampleLeaf(random: Random, cas: readonly ConstrainedCa[], issuer: Holder) {
  const subject = sampleSubject(random);
  const altNames =
    random.below(6) === 0 ? [] : [{ oid: EXTENSION.subjectAltName, critical: false, value: sampleAltNames(random) }];
  const pem = buildCertificate(LEAF, issuer, { subject, basicConstraints: 'absent', extensions: altNames });
  const refusals = findNameViolations({ subject, ...(altNames[0] && { subjectAltName: altNames[0].value }) }, cas);
  return { pem, refusals, shown: `${subject.toString('hex')} ${altNames[0]?.value.toString('hex') ?? 'no names'}` };
}

interface Row extends Case {
  readonly go: string;
  readonly openssl: OpensslError | undefined;
  readonly chain: Chain;
}

/** Go rejects every certificate of a CA with unknown critical constraints, whatever the names. */
const isJudgedByGo = ({ go }: Row) => !/unhandled critical extension|^parsing:/.test(go);
const isRefusedByGo = (row: Row) => isJudgedByGo(row) && row.go !== '';
/** Go's parser, and so the API server, cannot parse such a leaf; or OpenSSL rejects the CA's own name. */
const isCase = ({ go, openssl }: Row) => !go.startsWith('parsing:') && (openssl?.depth ?? 0) === 0;
const show = ({ refusals, go, openssl, shown, chain }: Row) => ({
  here: refusals[0],
  go,
  openssl,
  shown,
  cas: chain.cas,
});

describe('the names of a request under name constraints', () => {
  let rows: readonly Row[];
  before(async () => {
    const random = new Random(fuzzSeed());
    const chains = Array.from({ length: Math.ceil(caseCount(8_000) / LEAVES) }, () => sampleChain(random));
    const [go, openssl] = [await verifyWithGo(chains), []] as [readonly string[], (OpensslError | undefined)[]];
    for (const chain of chains) openssl.push(...(await verifyWithOpenssl(chain)));
    const cases = chains.flatMap(chain => chain.cases.map(one => ({ ...one, chain })));
    rows = cases.map((one, at) => ({ ...one, go: go[at] ?? '', openssl: openssl[at] })).filter(isCase);
  });

  it('are refused exactly if Go or OpenSSL rejects the certificate', t => {
    const rejected = rows.filter(row => isRefusedByGo(row) || row.openssl !== undefined);
    const byGoAlone = rejected.filter(({ openssl }) => openssl === undefined).length;
    const byOpensslAlone = rejected.filter(row => !isRefusedByGo(row)).length;
    const figure = `${rows.length} certificates: ${rejected.length} rejected, ${byGoAlone} only by Go, ${byOpensslAlone} only by OpenSSL`;
    const tooLax = rejected.filter(({ refusals }) => refusals.length === 0);
    const tooStrict = rows.filter(row => row.refusals.length > 0 && !rejected.includes(row));
    assert.deepEqual(tooLax.slice(0, 3).map(show), [], `${tooLax.length} are accepted here but rejected later`);
    assert.deepEqual(tooStrict.slice(0, 3).map(show), [], `${tooStrict.length} are refused here but would be accepted`);
    const isBalanced = rejected.length > rows.length / 4 && rejected.length < (rows.length * 3) / 4;
    const hasEnoughCases = isBalanced && Math.min(byGoAlone, byOpensslAlone) > rows.length / 100;
    report(t, 'fuzzedConstraints', figure, hasEnoughCases);
  });

  it('are the only reason why Go and OpenSSL reject these certificates', () => {
    const goes = rows.filter(isRefusedByGo).filter(({ go }) => !go.includes('is not authorized to sign for this name'));
    const others = rows.filter(({ openssl }) => openssl !== undefined && !NAME_ERRORS.has(openssl.code));
    assert.deepEqual([...goes, ...others].slice(0, 3).map(show), []);
  });
});
