// The signer's flags, the policy they produce, and combinations that are rejected.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR, SECOND } from '@countersign/common/duration.ts';
import { parseConfig } from '@countersign/common/runtime/options/config.ts';
import { AS_CERT_MANAGER } from '@countersign/signer/issuance/issuance-policy.ts';
import { findMistakes, issuancePolicy, OPTIONS, type SignerConfig } from '@countersign/signer/options.ts';
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

test('a maximum duration below 10m and a backdate above 24h are rejected', () => {
  assert.deepEqual(findMistakes(configOf('--max-duration=10m', '--backdate=24h')), []);
  assert.deepEqual(findMistakes(configOf('--max-duration=599s', '--backdate=24h1ms')), [
    '--max-duration: must be at least 10m, the minimum requested duration, or 0s for no limit',
    '--backdate: must be at most 24h',
  ]);
});

test('a Lease duration must be 5 s to 5 min in whole seconds', () => {
  for (const duration of ['5s', '15s', '1m30s', '5m'])
    assert.deepEqual(findMistakes(configOf(`--lease-duration=${duration}`)), []);
  for (const duration of ['0s', '4s', '4999ms', '5.5s', '5m1s', '1h'])
    assert.deepEqual(findMistakes(configOf(`--lease-duration=${duration}`)), [
      '--lease-duration: must be whole seconds, 5s to 5m',
    ]);
});
