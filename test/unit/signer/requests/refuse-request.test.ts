// Which PodCertificateRequests are denied, which wait for the owner of the issuer, and in which order they are judged.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DNS_NAMES } from '@countersign/common/pods/pod-annotations.ts';
import { ALLOWED_DNS_NAMES, DEFAULT_TERMS, readPodTerms } from '@countersign/common/pods/pod-terms.ts';
import { encodeOid, sequence } from '@countersign/common/x509/der.ts';
import { encodeSubject } from '@countersign/common/x509/general-names.ts';
import { refusePodNames, refusePodRequest } from '@countersign/signer/requests/pod-certificate/refuse-request.ts';
import { parseStubRequest } from '@countersign/signer/requests/pod-certificate/stub-request.ts';
import { extensionRequest, requestInfo, signRequest } from '../../../support/pkcs10-builder.ts';
import { names } from '../../../support/pkcs10-parts.ts';
import { readPki, valueOf } from '../../../support/pki.ts';
import { buildPodRequest, buildStub, type PodRequestOrder } from '../../../support/pod-request-builder.ts';

function refuse(order: PodRequestOrder) {
  const request = buildPodRequest(order);
  return refusePodRequest(request, parseStubRequest(request.spec.stubPKCS10Request));
}

const BAD_SIGNER = 'issuers.cert-manager.io/nodot';
const BAD_ANNOTATIONS = { 'example.com/x': '' };
const WITH_SUBJECT = buildStub(undefined, encodeSubject('admin'));
const ODD_KEY = buildOddStub(readPki('keys/ed448'));

/** Base64 of a stub with an Ed448 key, which Go does not know. */
function buildOddStub(key: string): string {
  const signer = { key, digest: null, algorithm: sequence(encodeOid('1.3.101.113')) };
  return signRequest(requestInfo(key, sequence(), []), signer).toString('base64');
}

describe('refusePodRequest', () => {
  it('a request as kubelet makes it is not refused', () => {
    for (const key of ['p256', 'p384', 'p521', 'ed25519', 'rsa3072', 'rsa4096']) {
      assert.equal(refuse({ stub: buildStub(readPki(`keys/${key}`)) }), undefined);
    }
    assert.equal(
      refuse({ signerName: 'clusterissuers.cert-manager.io/ca', annotations: { [DNS_NAMES]: 'a' } }),
      undefined,
    );
  });

  it('a signer name that no issuer can match is denied', () => {
    const { kind, reason, message } = refuse({ signerName: BAD_SIGNER }) ?? assert.fail('not refused');
    assert.deepEqual([kind, reason], ['deny', 'InvalidSignerName']);
    assert.match(message, /'issuers\.cert-manager\.io\/nodot'.*'issuers\.cert-manager\.io\/<namespace>\.<name>'/);
  });

  it('unknown annotations are denied', () => {
    assert.deepEqual(refuse({ annotations: BAD_ANNOTATIONS }), {
      kind: 'deny',
      reason: 'InvalidUnverifiedUserAnnotations',
      message:
        "userAnnotations key 'example.com/x' is not supported: use pods.countersign.io/dns-names and pods.countersign.io/common-name only",
    });
  });

  const stubs: Record<string, readonly [string, string]> = {
    'has a subject': [WITH_SUBJECT, 'stubPKCS10Request has a subject'],
    'asks for extensions': [
      buildStub(undefined, undefined, [extensionRequest(names)]),
      'stubPKCS10Request has attributes or extensions',
    ],
    'has an unknown attribute': [
      buildStub(undefined, undefined, [Buffer.from('3000', 'hex')]),
      'stubPKCS10Request has attributes or extensions',
    ],
    'is empty': ['', 'stubPKCS10Request is not a PKCS#10 request in DER'],
    'is not DER': [Buffer.from('no request').toString('base64'), 'stubPKCS10Request is not a PKCS#10 request in DER'],
    'is too large': ['A'.repeat(13_660), 'stubPKCS10Request is larger than 10 KiB'],
  };
  for (const [what, [stub, message]] of Object.entries(stubs)) {
    it(`a request whose stub ${what} waits, since an upgrade of the signer may help`, () => {
      assert.deepEqual(refuse({ stub }), { kind: 'wait', reason: 'InvalidStubRequest', message });
    });
  }

  it('a key of an unknown type is denied, with the types that work', () => {
    assert.deepEqual(refuse({ stub: ODD_KEY }), {
      kind: 'deny',
      reason: 'UnsupportedKeyType',
      message:
        'The key of stubPKCS10Request is of an unsupported type: set keyType of the podCertificate source to ECDSAP256, ECDSAP384, ECDSAP521, ED25519, RSA3072 or RSA4096',
    });
  });

  it('the signer name is judged first, then the annotations, then the stub', () => {
    const reasonOf = (order: PodRequestOrder) => refuse(order)?.reason;
    const all = { signerName: BAD_SIGNER, annotations: BAD_ANNOTATIONS, stub: WITH_SUBJECT };
    assert.equal(reasonOf(all), 'InvalidSignerName');
    const { signerName: _, ...rest } = all;
    assert.equal(reasonOf(rest), 'InvalidUnverifiedUserAnnotations');
    assert.equal(reasonOf({ stub: WITH_SUBJECT }), 'InvalidStubRequest');
  });

  it('every message of a denial is one line that kubelet can show', () => {
    const orders: readonly PodRequestOrder[] = [
      { signerName: BAD_SIGNER },
      { signerName: 'issuers.cert-manager.io/"%s\n.x' },
      { annotations: { '"%d\n': '' } },
      { annotations: { [DNS_NAMES]: '"%d\n'.repeat(500) } },
      { stub: WITH_SUBJECT },
      { stub: ODD_KEY },
    ];
    for (const order of orders) assert.match(refuse(order)?.message ?? '', /^(?=.{1,700}$)[ !#$&-[\]-~]+$/);
  });
});

describe('refusePodNames', () => {
  const REF = { kind: 'Issuer', namespace: 'sandbox', name: 'my-ca' } as const;
  const terms = (allowed?: string) =>
    valueOf(readPodTerms(allowed === undefined ? {} : { [ALLOWED_DNS_NAMES]: allowed }, DEFAULT_TERMS));
  const refuseNames = (dnsNames: string, allowed?: string) =>
    refusePodNames(buildPodRequest({ annotations: { [DNS_NAMES]: dnsNames } }), terms(allowed), REF);

  it('a request for no name, or for allowed names, is not refused', () => {
    assert.equal(refusePodNames(buildPodRequest(), terms(''), REF), undefined);
    assert.equal(refuseNames('web.team.svc,${POD_NAME}.web.team.svc.cluster.local'), undefined);
    assert.equal(refuseNames('a.example', 'a.example'), undefined);
  });

  it('a request for names that are not allowed waits, and the message lists the allowed ones', () => {
    assert.deepEqual(refuseNames('web.team.svc,web.other.svc,example.org'), {
      kind: 'wait',
      reason: 'NameNotAllowed',
      message:
        "Issuer sandbox/my-ca does not allow this pod the DNS names 'web.other.svc', 'example.org'; allowed: '*.team.svc', '*.team.svc.cluster.local', '*.*.team.svc', '*.*.team.svc.cluster.local'",
    });
  });

  it('the message of a request for many names is cut, and says where no names are allowed', () => {
    const eight = Array.from({ length: 8 }, (_, at) => `n${at}.example`).join();
    const message = refuseNames(eight, '')?.message ?? '';
    assert.match(message, /'n4.example' and 3 more; allowed: none$/);
  });
});
