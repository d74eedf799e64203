// What the owner of an issuer says about pods, by annotations.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { expandPatterns, isNameAllowed } from '@countersign/common/pods/name-patterns.ts';
import {
  ALLOWED_DNS_NAMES,
  DEFAULT_TERMS,
  MAX_TERM_LENGTH,
  type PodTerms,
  pruneTermAnnotations,
  readPodTerms,
  TERM_ANNOTATIONS,
  TRUST_DOMAIN,
  USAGES,
} from '@countersign/common/pods/pod-terms.ts';
import { errorOf, valueOf } from '../../../support/pki.ts';

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

const POD = { name: 'web-0', namespace: 'team', serviceAccountName: 'web', uid: 'uid' };
const allows = ({ allowedDnsNames }: PodTerms, name: string) =>
  isNameAllowed(name, expandPatterns(allowedDnsNames, POD));

describe('readPodTerms', () => {
  it('without annotations, the flags of the signer hold, and Service names of the namespace are allowed', () => {
    for (const annotations of [undefined, { other: 'x' }]) {
      const terms = valueOf(readPodTerms(annotations, DEFAULT_TERMS));
      assert.equal(terms.trustDomain, 'cluster.local');
      assert.deepEqual(terms.usages, { keyUsage: 1, extKeyUsages: [SERVER_AUTH, CLIENT_AUTH] });
      const allowed = [
        'web.team.svc',
        'web.team.svc.cluster.local',
        'web-0.web.team.svc',
        'a.b.team.svc.cluster.local',
      ];
      for (const name of allowed) assert.equal(allows(terms, name), true, name);
      const refused = ['web.other.svc', 'web.team', 'web', 'team.svc', 'web.team.svc.example', 'a.b.c.team.svc'];
      for (const name of refused) assert.equal(allows(terms, name), false, name);
    }
  });

  it('trust domain and cluster domain are those of the flags', () => {
    const defaults = { trustDomain: 'prod.example', clusterDomain: 'k8s.example' };
    const terms = valueOf(readPodTerms({}, defaults));
    assert.equal(terms.trustDomain, 'prod.example');
    assert.equal(allows(terms, 'web.team.svc.k8s.example'), true);
    assert.equal(allows(terms, 'web.team.svc.cluster.local'), false);
  });

  it('an annotation replaces its default', () => {
    const annotations = { [ALLOWED_DNS_NAMES]: '*.example', [TRUST_DOMAIN]: 'td', [USAGES]: 'client auth' };
    const terms = valueOf(readPodTerms(annotations, DEFAULT_TERMS));
    assert.deepEqual([allows(terms, 'a.example'), allows(terms, 'web.team.svc')], [true, false]);
    assert.equal(terms.trustDomain, 'td');
    assert.deepEqual(terms.usages, { keyUsage: 1, extKeyUsages: [CLIENT_AUTH] });
  });

  it('an empty list of names allows none', () => {
    assert.deepEqual(valueOf(readPodTerms({ [ALLOWED_DNS_NAMES]: '' }, DEFAULT_TERMS)).allowedDnsNames, []);
  });

  it('usages have one order, whatever order they are written in', () => {
    const usages = (text: string) => valueOf(readPodTerms({ [USAGES]: text }, DEFAULT_TERMS)).usages.extKeyUsages;
    assert.deepEqual(usages(' client auth ,server auth, client auth'), [SERVER_AUTH, CLIENT_AUTH]);
    assert.deepEqual(usages('server auth'), [SERVER_AUTH]);
  });

  const faults: Record<string, readonly [string, string, string]> = {
    'a bad pattern': [
      ALLOWED_DNS_NAMES,
      '*.example, web-*.example',
      "has the pattern 'web-*.example', which is not a DNS name in lower case in which * stands for a whole label",
    ],
    'a bad trust domain': [
      TRUST_DOMAIN,
      'spiffe://a',
      "is 'spiffe://a': use a name such as 'cluster.local', of lower-case letters, digits, dots, hyphens and underscores",
    ],
    'an empty trust domain': [
      TRUST_DOMAIN,
      '',
      "is '': use a name such as 'cluster.local', of lower-case letters, digits, dots, hyphens and underscores",
    ],
    'a usage that is not for TLS': [
      USAGES,
      'client auth, code signing',
      "has the usage 'code signing': use server auth and client auth",
    ],
    'no usage at all': [USAGES, '', "has the usage '': use server auth and client auth"],
    'an annotation that is too long': [TRUST_DOMAIN, 'x'.repeat(MAX_TERM_LENGTH + 1), 'is longer than 8192 characters'],
  };
  for (const [what, [key, value, problem]] of Object.entries(faults)) {
    it(`${what} is a fault that names the annotation`, () => {
      assert.equal(errorOf(readPodTerms({ [key]: value }, DEFAULT_TERMS)), `the annotation '${key}' ${problem}`);
    });
  }

  it('of the annotations of an issuer those that are read are kept, and one that is too long stays too long', () => {
    const annotations = { other: 'x', [USAGES]: 'client auth', [TRUST_DOMAIN]: 'x'.repeat(200_000) };
    const kept = pruneTermAnnotations(annotations);
    assert.deepEqual(Object.keys(kept), [TRUST_DOMAIN, USAGES]);
    assert.equal(kept[TRUST_DOMAIN]?.length, MAX_TERM_LENGTH + 1);
    assert.deepEqual(readPodTerms(kept, DEFAULT_TERMS), readPodTerms(annotations, DEFAULT_TERMS));
    assert.deepEqual(pruneTermAnnotations(undefined), {});
  });

  it('no annotations are read but those that are listed', () => {
    const asked: string[] = [];
    const annotations = new Proxy({}, { get: (_, key) => void asked.push(String(key)) });
    readPodTerms(annotations, DEFAULT_TERMS);
    assert.deepEqual(new Set(asked), new Set(TERM_ANNOTATIONS));
  });

  it('an unknown key under our prefix is an error: it may be a misspelled restriction', () => {
    const annotations = { 'pods.countersign.io/allowed-dns-name': '' };
    const problem = `the annotation 'pods.countersign.io/allowed-dns-name' is unknown: use ${TERM_ANNOTATIONS.join(', ')}`;
    assert.equal(errorOf(readPodTerms(annotations, DEFAULT_TERMS)), problem);
    assert.equal(errorOf(readPodTerms(pruneTermAnnotations(annotations), DEFAULT_TERMS)), problem);
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`pods.countersign.io/${index}`, 'x']));
    assert.deepEqual(Object.values(pruneTermAnnotations(many)), ['']);
  });
});
