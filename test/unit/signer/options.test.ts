// The signer's flags, the policy they produce, and combinations that are rejected.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR, SECOND } from '@countersign/common/duration.ts';
import { parseConfig } from '@countersign/common/runtime/options/config.ts';
import { AS_CERT_MANAGER } from '@countersign/signer/issuance/issuance-policy.ts';
import {
  findMistakes,
  issuancePolicy,
  OPTIONS,
  type SignerConfig,
  trustBundleSettings,
} from '@countersign/signer/options.ts';
import { valueOf } from '../../support/pki.ts';

const configOf = (...flags: string[]): SignerConfig => valueOf(parseConfig(OPTIONS, flags, {}));

/** Name constraints are honoured by default: cert-manager signs certificates that clients reject. */
const DEFAULT = { ...AS_CERT_MANAGER, honourNameConstraints: true };

test('the default policy differs from cert-manager only in honouring name constraints', () => {
  assert.deepEqual(issuancePolicy(configOf()), DEFAULT);
  assert.deepEqual(findMistakes(configOf()), []);
});

for (const [flag, settings] of [
  ['--max-duration=1h', { maxDuration: HOUR }],
  ['--max-duration=600.5s', { maxDuration: 600n * SECOND + SECOND / 2n }],
  ['--authorize-cluster-issuers=true', { authorizeClusterIssuers: true }],
  ['--honour-name-constraints=false', { honourNameConstraints: false }],
  ['--delegate=true', { delegates: true }],
  ['--clamp-to-ca=true', { clampToCa: true }],
  ['--refuse-expired-ca=true', { refuseExpiredCa: true }],
  ['--backdate=5m', { backdate: 300_000 }],
  ['--leaf-key-identifier=true', { leafKeyIdentifier: true }],
  ['--root-in-chain=true', { rootInChain: true }],
] as const) {
  test(`${flag} changes only its own setting`, () => {
    assert.deepEqual(issuancePolicy(configOf(flag)), { ...DEFAULT, ...settings });
    assert.deepEqual(findMistakes(configOf(flag)), []);
  });
}

const THINGS = 'thingissuers.things.example.com=ThingIssuer:Namespaced';

test('external types are part of the policy, and need delegation', () => {
  const config = configOf('--delegate=true', `--external-issuers=${THINGS}`);
  assert.deepEqual(findMistakes(config), []);
  assert.deepEqual(issuancePolicy(config).externalIssuers, [
    { group: 'things.example.com', plural: 'thingissuers', kind: 'ThingIssuer', isNamespaced: true },
  ]);
  assert.deepEqual(findMistakes(configOf(`--external-issuers=${THINGS},${THINGS}`)), [
    '--external-issuers: thingissuers.things.example.com is listed 2 times',
    '--external-issuers: has no effect without --delegate',
  ]);
});

test('a maximum duration below 10m and a backdate above 24h are rejected', () => {
  assert.deepEqual(findMistakes(configOf('--max-duration=10m', '--backdate=24h')), []);
  assert.deepEqual(findMistakes(configOf('--max-duration=599s', '--backdate=24h1ms')), [
    '--max-duration: 9m59s is less than the minimum, 10m (the minimum duration of a certificate); 0s means no limit',
    '--backdate: 24h0m0.001s is more than the maximum, 24h',
  ]);
});

test('a Lease duration must be 5 s to 5 min in whole seconds', () => {
  for (const duration of ['5s', '15s', '1m30s', '5m'])
    assert.deepEqual(findMistakes(configOf(`--lease-duration=${duration}`)), []);
  for (const duration of ['0s', '4s', '4999ms', '5.5s', '5m1s', '1h'])
    assert.deepEqual(findMistakes(configOf(`--lease-duration=${duration}`)), [
      `--lease-duration: ${duration.replace('4999ms', '4.999s')} is not a whole number of seconds from 5s to 5m`,
    ]);
});

test('a retired CA stays in the trust bundle for at least as long as a pod may have its certificate', () => {
  assert.deepEqual(trustBundleSettings(configOf()), { publish: 'all', keepRetiredMs: 2_184 * 3_600_000 });
  assert.equal(trustBundleSettings(configOf('--trust-bundles=off')), undefined);
  assert.deepEqual(findMistakes(configOf('--keep-retired-anchors=24h')), []);
  assert.deepEqual(findMistakes(configOf('--keep-retired-anchors=23h')), [
    '--keep-retired-anchors: must be at least --pod-max-duration',
  ]);
  assert.deepEqual(findMistakes(configOf('--keep-retired-anchors=23h', '--trust-bundles=off')), []);
});

test('a lifetime and a backdate of pod certificates outside their limits are rejected with both values', () => {
  assert.deepEqual(findMistakes(configOf('--pod-max-duration=2184h', '--pod-backdate=0s')), []);
  assert.deepEqual(findMistakes(configOf('--pod-max-duration=30m', '--pod-backdate=5m')), [
    '--pod-max-duration: 30m is not a whole number of seconds from 1h to 2184h',
    '--pod-backdate: 5m is not a whole number of seconds from 0s to 4m',
  ]);
});
