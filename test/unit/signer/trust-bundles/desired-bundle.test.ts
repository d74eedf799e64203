// The trust bundle of an issuer over its life: the vectors of desired-bundle.yaml, and what must hold for
// every history.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import { planBundle, planOrphan } from '@countersign/signer/trust-bundles/bundle-change.ts';
import { readBundle, type TrustBundle } from '@countersign/signer/trust-bundles/bundle-object.ts';
import { desiredBundle, MAX_BUNDLE_SIZE } from '@countersign/signer/trust-bundles/desired-bundle.ts';
import { Random } from '../../../support/fuzz/random.ts';
import { afterWrite, Roots } from '../../../support/trust-anchors.ts';
import { readVectors } from '../../../support/vectors.ts';

const REF: SignerRef = { kind: 'Issuer', namespace: 'sandbox', name: 'my-ca' };
const DAY_MS = 86_400_000;
const FIRST_DAY = Date.parse('2026-01-01T00:00:00Z');
const KEEP_MS = 91 * DAY_MS;
const clockAt = (day: number) => ({ now: new Date(FIRST_DAY + day * DAY_MS), keepRetiredMs: KEEP_MS });

interface Step {
  readonly day: number;
  readonly anchors?: readonly string[];
  readonly orphan?: boolean;
  readonly byHand?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly unlabelled?: boolean;
  readonly deleted?: boolean;
  readonly bundle: readonly string[];
  readonly write?: string;
  readonly expired?: readonly string[];
}

interface History {
  readonly name: string;
  readonly ends?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

function touched(roots: Roots, bundle: TrustBundle | undefined, step: Step): TrustBundle | undefined {
  if (step.deleted || bundle === undefined) return undefined;
  const { metadata, spec } = bundle;
  const annotations = { ...metadata.annotations, ...step.annotations };
  const trustBundle = step.byHand?.map(name => roots.anchor(name).pem).join('') ?? spec.trustBundle;
  const labels = step.unlabelled ? {} : (metadata.labels ?? {});
  return { metadata: { ...metadata, annotations, labels }, spec: { ...spec, trustBundle } };
}

function plan(roots: Roots, bundle: TrustBundle | undefined, step: Step) {
  if (step.orphan) return planOrphan(REF, bundle, clockAt(step.day));
  const anchors = step.anchors?.map(name => roots.anchor(name));
  return planBundle(REF, bundle, anchors, clockAt(step.day));
}

describe('the trust bundle of an issuer', () => {
  for (const { name, ends = {}, steps } of readVectors<readonly History[]>('desired-bundle.yaml')) {
    test(name, () => {
      const roots = new Roots();
      for (const [root, end] of Object.entries(ends)) roots.anchor(root, end);
      let bundle: TrustBundle | undefined;
      for (const step of steps) {
        bundle = touched(roots, bundle, step);
        const { write, desired } = plan(roots, bundle, step);
        bundle = afterWrite(bundle, write);
        const expired = (step.expired ?? []).map(root => roots.anchor(root).fingerprint);
        assert.deepEqual(
          {
            bundle: roots.namesIn(bundle?.spec.trustBundle ?? ''),
            write: write?.kind,
            expired: desired?.expired ?? [],
          },
          { bundle: step.bundle, write: step.write, expired },
          `day ${step.day}`,
        );
        assert.equal(plan(roots, bundle, step).write?.kind, undefined, `day ${step.day}, a second look`);
      }
    });
  }

  test('the trust bundle of an issuer is created with name, labels and fingerprints that others can rely on', () => {
    const roots = new Roots();
    const { write } = planBundle(REF, undefined, [roots.anchor('a')], clockAt(0));
    assert.deepEqual(JSON.parse(JSON.stringify(write)), {
      kind: 'create',
      body: {
        apiVersion: 'certificates.k8s.io/v1',
        kind: 'ClusterTrustBundle',
        metadata: {
          name: 'issuers.cert-manager.io:sandbox.my-ca:anchors',
          labels: { 'app.kubernetes.io/managed-by': 'countersign', 'countersign.io/anchors': 'live' },
          annotations: { 'countersign.io/current': JSON.stringify([roots.anchor('a').fingerprint]) },
        },
        spec: { signerName: 'issuers.cert-manager.io/sandbox.my-ca', trustBundle: roots.anchor('a').pem },
      },
    });
  });

  test('the trust bundle of an issuer is changed by a patch that is valid for one version, with the end of each retired anchor', () => {
    const roots = new Roots();
    const [a, b] = [roots.anchor('a'), roots.anchor('b')];
    const before = afterWrite(undefined, planBundle(REF, undefined, [a], clockAt(0)).write);
    const { write } = planBundle(REF, before, [b], clockAt(1));
    assert.ok(write?.kind === 'patch');
    const { metadata } = write.body as TrustBundle;
    assert.equal(metadata.resourceVersion, '1');
    assert.deepEqual(metadata.annotations, {
      'countersign.io/current': JSON.stringify([b.fingerprint]),
      'countersign.io/retired': JSON.stringify({ [a.fingerprint]: '2026-04-03T00:00:00Z' }),
      'countersign.io/orphaned-since': null,
    });
  });

  test('the trust bundle of an issuer leaves out the retired anchors that end first, where it would be larger than 1 MiB', () => {
    const roots = new Roots();
    const pem = (letter: string, size: number) => `${letter.repeat(size - 1)}\n`;
    const retired = ['p', 'q', 'r'].map((letter, at) => [letter, new Date(FIRST_DAY + (at + 1) * DAY_MS)] as const);
    const before = {
      certificates: new Map(retired.map(([letter]) => [letter, { der: Buffer.alloc(0), pem: pem(letter, 500_000) }])),
      current: new Set<string>(),
      retired: new Map(retired),
    };
    const desired = desiredBundle(before, [roots.anchor('a')], clockAt(0))!;
    assert.deepEqual(
      desired.retired.map(({ fingerprint }) => fingerprint),
      ['q', 'r'],
    );
    assert.equal(desired.leftOut, 1);
    const size = [...desired.current, ...desired.retired].reduce((sum, each) => sum + each.pem.length, 0);
    assert.ok(size <= MAX_BUNDLE_SIZE);
  });
});

describe('for every history of an issuer', () => {
  test('what was an anchor within 91 days, and has not expired, is in the bundle, which is never empty or written twice', () => {
    const random = new Random(20261130);
    for (let history = 0; history < 200; history += 1) {
      const roots = new Roots();
      const lastDay = new Map<string, number>();
      const names = ['a', 'b', 'c', 'd'];
      let bundle: TrustBundle | undefined;
      let day = 0;
      for (let step = 0; step < 12; step += 1) {
        const anchors = names.filter(() => random.below(10) < 4);
        const given = anchors.length === 0 ? undefined : anchors.map(name => roots.anchor(name));
        const planned = planBundle(REF, bundle, given, clockAt(day));
        bundle = afterWrite(bundle, planned.write);
        for (const name of anchors) lastDay.set(name, day);
        if (bundle !== undefined) assertHolds(roots, bundle, { day, lastDay, anchors });
        assert.equal(planBundle(REF, bundle, given, clockAt(day)).write, undefined);
        day += random.below(40);
      }
    }
  });
});

interface Moment {
  readonly day: number;
  readonly lastDay: ReadonlyMap<string, number>;
  readonly anchors: readonly string[];
}

function assertHolds(roots: Roots, bundle: TrustBundle, { day, lastDay, anchors }: Moment): void {
  const held = roots.namesIn(bundle.spec.trustBundle);
  const within = [...lastDay].filter(([, last]) => day - last < 91).map(([name]) => name);
  const missing = [...anchors, ...within].filter(name => !held.includes(name));
  assert.deepEqual(missing, [], `day ${day}`);
  assert.ok(held.length > 0 && new Set(held).size === held.length);
  const { certificates, current, retired } = readBundle(bundle);
  assert.deepEqual(new Set(certificates.keys()), new Set([...current, ...retired.keys()]));
}
