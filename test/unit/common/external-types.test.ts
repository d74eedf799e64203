// --external-issuers: which lists are accepted, that all mistakes are reported, and which names can be external.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hasExternalForm, parseExternalTypes } from '@countersign/common/issuers/external-types.ts';

const AWS = { group: 'awspca.cert-manager.io', plural: 'awspcaissuers', kind: 'AWSPCAIssuer', isNamespaced: true };
const STEP = {
  group: 'certmanager.step.sm',
  plural: 'stepclusterissuers',
  kind: 'StepClusterIssuer',
  isNamespaced: false,
};

describe('a list of external issuer types', () => {
  it('may be empty', () => assert.deepEqual(parseExternalTypes(''), { types: [], mistakes: [] }));

  it('gives each type its kind and scope', () =>
    assert.deepEqual(
      parseExternalTypes(
        'awspcaissuers.awspca.cert-manager.io=AWSPCAIssuer:Namespaced, stepclusterissuers.certmanager.step.sm=StepClusterIssuer:Cluster,',
      ),
      { types: [AWS, STEP], mistakes: [] },
    ));

  it('may name a resource and kind like those of cert-manager, in another group', () =>
    assert.deepEqual(parseExternalTypes('issuers.sample.example.com=Issuer:Namespaced').mistakes, []));

  const wrong: Readonly<Record<string, RegExp>> = {
    'awspcaissuers.awspca.cert-manager.io': /is not <plural>\.<group>=<kind>:<scope>, such as /,
    'awspcaissuers=AWSPCAIssuer:Namespaced': /is not <plural>/,
    'awspcaissuers.awspca.cert-manager.io=AWSPCAIssuer': /is not <plural>/,
    'foos.example=Foo:Cluster': /"foos\.example" is not the name of a CustomResourceDefinition/,
    'Foos.things.example.com=Foo:Cluster': /is not the name of a CustomResourceDefinition/,
    '*.things.example.com=Foo:Cluster': /is not the name of a CustomResourceDefinition/,
    'foos.things.example.com/x=Foo:Cluster': /is not the name of a CustomResourceDefinition/,
    'foos.things.example.com=foo:Cluster': /^"foos\.things\.example\.com" has the kind "foo": use spec\.names\.kind/,
    'foos.things.example.com=Foo:cluster': /has the scope "cluster": use Namespaced or Cluster/,
    'issuers.cert-manager.io=Issuer:Namespaced': /is in the group cert-manager\.io, which is reserved/,
    'orders.acme.cert-manager.io=Order:Namespaced': /is in the group acme\.cert-manager\.io, which is reserved/,
    'kube.kubernetes.io=Kube:Cluster': /is in the group kubernetes\.io, which is reserved/,
    'x.y.kubernetes.io=Kube:Cluster': /is in the group y\.kubernetes\.io, which is reserved/,
    'certificates.certificates.k8s.io=Kube:Cluster': /is in the group certificates\.k8s\.io, which is reserved/,
  };
  for (const [list, mistake] of Object.entries(wrong)) {
    it(`is rejected with ${list}`, () => {
      const { types, mistakes } = parseExternalTypes(list);
      assert.deepEqual([types.length, mistakes.length], [0, 1]);
      assert.match(mistakes[0] ?? '', mistake);
    });
  }

  it('is rejected with every mistake, duplicates among them', () => {
    const valid = 'foos.things.example.com=Foo:Cluster';
    const { mistakes } = parseExternalTypes(`foo,${valid},issuers.cert-manager.io=Issuer:Namespaced,${valid}`);
    assert.equal(mistakes.length, 3);
    assert.equal(mistakes[2], 'foos.things.example.com is listed 2 times');
  });
});

describe('a signer name that can be external', () => {
  const forms: Readonly<Record<string, boolean>> = {
    'awspcaissuers.awspca.cert-manager.io/sandbox.aws': true,
    'stepclusterissuers.certmanager.step.sm/ca': true,
    'stepclusterissuers.certmanager.step.sm/': false,
    'stepclusterissuers.certmanager.step.sm/A': false,
    'stepclusterissuers.certmanager.step.sm': false,
    'issuers.cert-manager.io/sandbox.ca': false,
    'foos.cert-manager.io/sandbox.ca': false,
    'kubernetes.io/kube-apiserver-client': false,
    'foo.kubernetes.io/x': false,
    'node.k8s.io/x': false,
    'example.com/x': false,
    '': false,
  };
  for (const [name, expected] of Object.entries(forms)) {
    it(`${JSON.stringify(name)}: ${expected}`, () => assert.equal(hasExternalForm(name), expected));
  }
});
