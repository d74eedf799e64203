// The flags of the approver: all mistakes at once, and no signer beyond issuers.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findMistakes, OPTIONS, requestPolicy, signerScope } from '@countersign/approver/options.ts';
import { canSelect, isInScope } from '@countersign/approver/signer-scope.ts';
import { parseConfig } from '@countersign/common/runtime/options/config.ts';
import { valueOf } from '../../support/pki.ts';

const NAMES = '--signer-names=issuers.cert-manager.io/*, clusterissuers.cert-manager.io/company';
const parse = (...flags: readonly string[]) => valueOf(parseConfig(OPTIONS, [...flags], {}));

describe('the configuration of the approver', () => {
  it('needs signer names', () => assert.equal(parseConfig(OPTIONS, [], {}).ok, false));

  it('reports every mistake', () => {
    const config = parse('--signer-names=kubernetes.io/*', '--max-duration=5m', '--lease-duration=1s');
    assert.deepEqual(
      findMistakes(config).map(mistake => mistake.split(':')[0]),
      ['--signer-names', '--max-duration', '--lease-duration'],
    );
  });

  for (const name of [
    '*',
    '',
    'issuers.cert-manager.io/*,',
    'kubernetes.io/kubelet-serving',
    'issuers.cert-manager.io/a',
  ]) {
    it(`rejects the signer name "${name}"`, () =>
      assert.match(findMistakes(parse(`--signer-names=${name}`)).join(), /is not the signer name of an issuer/));
  }

  it('caps the default duration like the signer', () => {
    assert.equal(requestPolicy(parse(NAMES, '--max-duration=1h')).maxDuration, 3_600_000_000_000n);
    assert.equal(requestPolicy(parse(NAMES)).maxDuration, undefined);
  });
});

describe('with external types, the scope of the approver', () => {
  const LIST = '--external-issuers=thingissuers.things.example.com=ThingIssuer:Namespaced';

  it('may contain their signer names, and contains only those that it names', () => {
    const config = parse('--signer-names=thingissuers.things.example.com/*', LIST);
    assert.deepEqual(findMistakes(config), []);
    const scope = signerScope(config);
    const names = ['thingissuers.things.example.com/a.b', 'issuers.cert-manager.io/a.b'];
    assert.deepEqual(
      names.map(name => isInScope(scope, name)),
      [true, false],
    );
    assert.equal(canSelect(scope, 'thingissuers.things.example.com/a.b'), true);
  });

  it('may not contain names of other types', () => {
    const mistakes = findMistakes(parse('--signer-names=otherissuers.things.example.com/*', LIST));
    assert.match(mistakes.join(), /types of external issuers must be in --external-issuers/);
  });

  it('cannot be extended to signers of the cluster', () => {
    const mistakes = findMistakes(parse(NAMES, '--external-issuers=node.kubernetes.io=Node:Cluster'));
    assert.match(mistakes.join(), /^--external-issuers: .*kubernetes\.io, which is reserved/);
  });
});

describe('the scope of the approver', () => {
  const scope = signerScope(parse(NAMES));

  it('contains the issuers that are named, and those of a whole kind', () => {
    for (const name of ['issuers.cert-manager.io/a.b', 'clusterissuers.cert-manager.io/company'])
      assert.equal(isInScope(scope, name), true, name);
  });

  it('contains no other signer', () => {
    for (const name of [
      'clusterissuers.cert-manager.io/other',
      'issuers.cert-manager.io/*',
      'issuers.cert-manager.io/malformed',
      'kubernetes.io/kube-apiserver-client',
      'issuers.cert-manager.io.example.com/a.b',
    ])
      assert.equal(isInScope(scope, name), false, name);
  });

  it('covers what a policy can select', () => {
    const single = signerScope(parse('--signer-names=issuers.cert-manager.io/a.b'));
    assert.equal(canSelect(scope, 'issuers.cert-manager.io/a.*'), true);
    assert.equal(canSelect(single, 'issuers.cert-manager.io/a.*'), true);
    assert.equal(canSelect(single, 'issuers.cert-manager.io/b.*'), false);
    assert.equal(canSelect(scope, 'clusterissuers.cert-manager.io/other'), false);
  });
});
