// The permission to reference an Issuer: the access reviews, and the message for users who lack it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  denialText,
  grantingRole,
  needsPermission,
  podDenialText,
  referenceReviews,
} from '@countersign/common/reference-permission.ts';
import { PERMISSIVE_POLICY } from '@countersign/common/request-policy.ts';
import { parse } from 'yaml';

const issuer = { kind: 'Issuer', namespace: 'sandbox', name: 'my.issuer' } as const;
const clusterIssuer = { kind: 'ClusterIssuer', namespace: '', name: 'my.issuer' } as const;
const requester = { username: 'jane', uid: '7', groups: ['a', 'b'], extra: { 'example.com/x': ['y'] } };

const review = (name: string) => ({
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SubjectAccessReview',
  spec: {
    user: 'jane',
    uid: '7',
    groups: ['a', 'b'],
    extra: { 'example.com/x': ['y'] },
    resourceAttributes: {
      group: 'cert-manager.io',
      resource: 'signers',
      verb: 'reference',
      namespace: 'sandbox',
      name,
      version: '*',
    },
  },
});

describe('the access reviews', () => {
  it('the access reviews ask for the name of the issuer, then for the literal name *, for the requester', () => {
    assert.deepEqual(referenceReviews(issuer, requester), [review('my.issuer'), review('*')]);
  });

  it('the access reviews omit unknown fields of the requester', () => {
    const [first] = referenceReviews(issuer, { username: 'jane' });
    assert.deepEqual(Object.keys(first?.spec ?? {}), ['user', 'resourceAttributes']);
  });

  it('the access reviews have only the identity of the requester from a whole spec', () => {
    const spec = { ...requester, signerName: 'x', request: 'y', usages: ['any'] };
    assert.deepEqual(referenceReviews(issuer, spec), referenceReviews(issuer, requester));
  });

  it('the access reviews use another resource for a ClusterIssuer than for an Issuer, and no namespace', () => {
    const asked = referenceReviews(clusterIssuer, requester).map(({ spec }) => spec.resourceAttributes);
    const attributes = {
      group: 'cert-manager.io',
      resource: 'clusterissuers',
      verb: 'reference',
      namespace: '',
      version: '*',
    };
    assert.deepEqual(asked, [
      { ...attributes, name: 'my.issuer' },
      { ...attributes, name: '*' },
    ]);
  });
});

describe('needsPermission', () => {
  it('needsPermission is true for an Issuer, and for a ClusterIssuer only if the operator requires it', () => {
    const demanding = { ...PERMISSIVE_POLICY, authorizeClusterIssuers: true };
    const answers = [PERMISSIVE_POLICY, demanding].map(policy =>
      [issuer, clusterIssuer].map(ref => needsPermission(ref, policy)),
    );
    assert.deepEqual(answers, [
      [true, false],
      [true, true],
    ]);
  });
});

describe('grantingRole', () => {
  it('grantingRole grants only this verb on this issuer', () => {
    assert.deepEqual(parse(grantingRole(issuer)), {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'cert-manager-referencer:my.issuer', namespace: 'sandbox' },
      rules: [
        { apiGroups: ['cert-manager.io'], resources: ['signers'], verbs: ['reference'], resourceNames: ['my.issuer'] },
      ],
    });
  });

  it('grantingRole grants a ClusterIssuer cluster-wide, under a name that no ClusterRole for Issuers is likely to have', () => {
    assert.deepEqual(parse(grantingRole(clusterIssuer)), {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'cert-manager-cluster-referencer:my.issuer' },
      rules: [
        {
          apiGroups: ['cert-manager.io'],
          resources: ['clusterissuers'],
          verbs: ['reference'],
          resourceNames: ['my.issuer'],
        },
      ],
    });
  });

  it('grantingRole quotes names that look like numbers', () => {
    const role = parse(grantingRole({ kind: 'Issuer', namespace: '123', name: '1e3' }));
    assert.equal(role.metadata.namespace, '123');
    assert.deepEqual(role.rules[0].resourceNames, ['1e3']);
  });
});

describe('denialText', () => {
  it('denialText names the user, the missing permission, and the role that grants it', () => {
    assert.equal(
      denialText(issuer, 'jane'),
      `Requester may not reference Namespaced Issuer sandbox/my.issuer: user "jane" cannot reference resource "signers" in API group "cert-manager.io" with the name "my.issuer" in the namespace "sandbox". This Role grants it:

${grantingRole(issuer)}
and this command binds the Role to the user:

kubectl create rolebinding cert-manager-referencer:my.issuer:81f8f6dd --namespace=sandbox --role=cert-manager-referencer:my.issuer --user=jane
`,
    );
  });

  it('denialText has no namespace for a ClusterIssuer', () => {
    assert.equal(
      denialText(clusterIssuer, 'jane'),
      `Requester may not reference ClusterIssuer my.issuer: user "jane" cannot reference resource "clusterissuers" in API group "cert-manager.io" with the name "my.issuer". This ClusterRole grants it:

${grantingRole(clusterIssuer)}
and this command binds the ClusterRole to the user:

kubectl create clusterrolebinding cert-manager-cluster-referencer:my.issuer:81f8f6dd --clusterrole=cert-manager-cluster-referencer:my.issuer --user=jane
`,
    );
  });

  it('denialText has a stable RoleBinding name that differs for each user', () => {
    const nameOf = (username: string) => /create rolebinding (\S+) /.exec(denialText(issuer, username))?.[1];
    assert.equal(nameOf('jane'), nameOf('jane'));
    assert.notEqual(nameOf('jane'), nameOf('joe'));
    assert.match(nameOf('a/b; %') ?? '', /^cert-manager-referencer:my\.issuer:[0-9a-f]{8}$/);
  });

  for (const [username, word] of [
    ['system:serviceaccount:sandbox:app', 'system:serviceaccount:sandbox:app'],
    ['jane@example.com', 'jane@example.com'],
    ['https://issuer.example/#jane', `'https://issuer.example/#jane'`],
    ['a; rm -rf /', `'a; rm -rf /'`],
    ["o'neill $(x)", `'o'\\''neill $(x)'`],
    ['', "''"],
  ] as const) {
    it(`denialText quotes the user name ${JSON.stringify(username)} in the command`, () => {
      assert.ok(denialText(issuer, username).endsWith(` --user=${word}\n`));
    });
  }
});

describe('podDenialText', () => {
  for (const [ref, text] of [
    [
      issuer,
      'ServiceAccount team/web may not reference Issuer sandbox/my.issuer: it cannot reference resource "signers" in API group "cert-manager.io" with the name "my.issuer" in the namespace "sandbox"',
    ],
    [
      clusterIssuer,
      'ServiceAccount team/web may not reference ClusterIssuer my.issuer: it cannot reference resource "clusterissuers" in API group "cert-manager.io" with the name "my.issuer"',
    ],
  ] as const) {
    it(`names the ServiceAccount and the missing permission for a ${ref.kind}`, () => {
      assert.equal(podDenialText(ref, 'team', 'web'), text);
    });
  }
});
