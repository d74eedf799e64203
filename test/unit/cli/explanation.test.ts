// Why a CSR has no certificate, and the command that helps.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { explain, isSignable } from '@countersign/cli/explain/explanation.ts';
import type { Facts } from '@countersign/cli/explain/facts.ts';
import { toSections } from '@countersign/cli/explain/report.ts';
import { formatReport } from '@countersign/cli/terminal/report.ts';
import { createStyle } from '@countersign/cli/terminal/style.ts';
import { factsOf, NOW, readyIssuer, warningEvent } from '../../support/cli/facts.ts';
import { buildCertificateOf } from '../../support/csr-builder.ts';
import { readRequest, readValidationCases } from '../../support/vectors.ts';

const APPROVED = { conditions: ['Approved'] };
const secretMissing = warningEvent('SecretMissing', 'Referenced secret sandbox/my-ca not found');

const EXTERNAL = 'thingissuers.things.example.com/sandbox.my-ca';

interface Case {
  readonly what: string;
  readonly facts: Facts;
  /** `reason: command` of each obstacle; the text if there is no reason. */
  readonly obstacles: readonly (string | RegExp)[];
  readonly isSignable?: false;
}

const cases: readonly Case[] = [
  {
    what: 'a pending CSR waits for approval',
    facts: factsOf(),
    obstacles: ['WaitingApproval: kubectl countersign approve jane'],
  },
  {
    what: 'a name with special characters is quoted in the command',
    facts: factsOf({ name: "a b'c" }),
    obstacles: ["WaitingApproval: kubectl countersign approve 'a b'\\''c'"],
  },
  {
    what: 'an approved CSR waits for the signer',
    facts: factsOf(APPROVED, { now: new Date('2026-11-24T11:59:05Z') }),
    obstacles: ['the signer has not signed it yet: kubectl countersign wait jane'],
  },
  {
    what: 'a CSR that was approved long ago leads to the status',
    facts: factsOf(APPROVED),
    obstacles: ['the CSR is approved, and the signer has not signed it: kubectl countersign status'],
  },
  {
    what: 'a missing Secret is found in the events',
    facts: factsOf(APPROVED, { events: { known: true, value: [secretMissing] } }),
    obstacles: ['SecretMissing: '],
  },
  {
    what: 'an event from before the approval is no cause',
    facts: factsOf(APPROVED, { events: { known: true, value: [warningEvent('SecretMissing', 'x', -60)] } }),
    obstacles: [/has not signed it/],
  },
  {
    what: 'a missing issuer is named',
    facts: factsOf(APPROVED, { issuer: { known: true, value: undefined } }),
    obstacles: ['IssuerNotFound: kubectl get issuers --namespace sandbox'],
  },
  {
    what: 'an issuer that is not Ready is named',
    facts: factsOf(APPROVED, { issuer: { known: true, value: { ...readyIssuer(), status: {} } } }),
    obstacles: ['IssuerNotReady: kubectl describe issuer my-ca --namespace sandbox'],
  },
  {
    what: 'an issuer without a type is named',
    facts: factsOf(APPROVED, { issuer: { known: true, value: readyIssuer({}) } }),
    obstacles: ['IssuerTypeMissing: kubectl describe issuer my-ca --namespace sandbox'],
  },
  {
    what: 'an issuer of another signer is named',
    facts: factsOf(APPROVED, { issuer: { known: true, value: readyIssuer({ acme: {} }) } }),
    obstacles: [/of type acme/],
  },
  {
    what: 'a missing permission makes a pending CSR unfit for approval',
    facts: factsOf({}, { permission: { kind: 'missing' } }),
    obstacles: [
      /DeniedReference: kubectl apply -f - <<'EOF'[^]*kubectl create rolebinding .* --namespace=sandbox .* --user=jane/,
    ],
    isSignable: false,
  },
  {
    what: 'a permission that cannot be checked is no obstacle',
    facts: factsOf({}, { permission: { kind: 'unknown', why: 'you may not' } }),
    obstacles: [/WaitingApproval/],
  },
  {
    what: 'a malformed request makes a pending CSR unfit for approval',
    facts: factsOf({ request: readRequest('serving') }),
    obstacles: ['SigningError: '],
    isSignable: false,
  },
  {
    what: 'a signer name of another signer is not judged',
    facts: factsOf(
      { signerName: 'kubernetes.io/kubelet-serving', request: readRequest('serving') },
      { issuer: undefined, permission: undefined },
    ),
    obstacles: [/belongs to another signer/],
  },
  {
    what: 'a CSR for an external issuer waits for approval, and its type may not be listed',
    facts: factsOf({ signerName: EXTERNAL }, { issuer: undefined, permission: undefined }),
    obstacles: [
      /^the issuer is external: whether Countersign signs for thingissuers\.things\.example\.com/,
      /WaitingApproval/,
    ],
  },
  {
    what: 'an event of the signer shows that it signs for an external issuer, and what it waits for',
    facts: factsOf(
      { ...APPROVED, signerName: EXTERNAL },
      {
        issuer: undefined,
        permission: undefined,
        events: {
          known: true,
          value: [
            {
              ...warningEvent('CertificateRequestUnanswered', 'No controller has answered'),
              source: { component: 'countersign-signer' },
            },
          ],
        },
      },
    ),
    obstacles: ['CertificateRequestUnanswered: '],
  },
  {
    what: 'a malformed request for an external issuer is unfit for approval',
    facts: factsOf(
      { signerName: EXTERNAL, request: readRequest('serving') },
      { issuer: undefined, permission: undefined },
    ),
    obstacles: ['SigningError: ', /^the issuer is external/],
    isSignable: false,
  },
  {
    what: 'a malformed signer name is final',
    facts: factsOf({ signerName: 'issuers.cert-manager.io/sandbox' }, { issuer: undefined, permission: undefined }),
    obstacles: ['InvalidSignerName: '],
    isSignable: false,
  },
  {
    what: 'a denied CSR is final',
    facts: factsOf({ conditions: ['Denied'] }),
    obstacles: [/an approver denied the CSR: Test/],
    isSignable: false,
  },
  {
    what: 'a failed CSR is final',
    facts: factsOf({ conditions: ['Approved', 'Failed'] }),
    obstacles: [/the signer failed the CSR|Test/],
    isSignable: false,
  },
  {
    what: 'an issued CSR has no obstacle',
    facts: factsOf({ ...APPROVED, certificate: buildCertificateOf() }),
    obstacles: [],
  },
  {
    what: 'a manifest that the API server accepts has no obstacle',
    facts: factsOf({}, { source: { kind: 'file', path: 'x.yaml' }, dryRun: { kind: 'accepted', warnings: [] } }),
    obstacles: [],
  },
  {
    what: 'a manifest that the webhook refuses has its message once',
    facts: factsOf(
      { request: readRequest('not-pem') },
      {
        source: { kind: 'file', path: 'x.yaml' },
        dryRun: {
          kind: 'refused',
          byAdmission: true,
          message:
            'spec.request: Error generating certificate template: error decoding certificate request PEM block: no PEM data was found in given input (SigningError)',
        },
      },
    ),
    obstacles: [/the API server refuses/],
    isSignable: false,
  },
];

describe('the explanation of a CSR', () => {
  for (const { what, facts, obstacles, isSignable: wanted = true } of cases) {
    test(what, () => {
      const explanation = explain(facts);
      const found = explanation.obstacles.map(
        ({ reason, what: text, command = '' }) => `${reason ?? text}: ${command}`,
      );
      assert.equal(found.length, obstacles.length, found.join('\n'));
      for (const [at, expected] of obstacles.entries()) {
        if (typeof expected === 'string') assert.equal(found[at], expected);
        else assert.match(found[at] ?? '', expected);
      }
      assert.equal(isSignable(explanation), wanted);
    });
  }

  test('shows the certificate that will be signed, and the one that was signed', () => {
    const planned = explain(factsOf({ usages: ['digital signature', 'server auth'] })).certificate;
    assert.deepEqual(
      planned && 'planned' in planned && [planned.planned.subject, planned.planned.usages, planned.planned.notAfter],
      ['CN=example', ['digital signature', 'server auth'], '2027-02-22T12:00:00Z'],
    );
    const issued = explain(factsOf({ ...APPROVED, certificate: buildCertificateOf() })).certificate;
    assert.equal(issued && 'issued' in issued && issued.issued[0]?.subject, 'CN=signed here');
  });

  test('never throws, whatever the CSR, and finds the errors that the webhook finds', () => {
    for (const { csr, errors, name } of readValidationCases()) {
      const { obstacles } = explain(factsOf({}, { csr, issuer: undefined }));
      const found = obstacles.map(({ reason }) => reason);
      for (const { reason } of errors) assert.ok(found.includes(reason), `${name}: ${found.join()} has no ${reason}`);
    }
  });

  test('reads as a report', () => {
    const text = formatReport(toSections(explain(factsOf()), NOW), createStyle(false));
    assert.equal(text, REPORT);
  });
});

const REPORT = `CertificateSigningRequest jane
  Requester    jane
  Groups       system:authenticated
  Signer name  issuers.cert-manager.io/sandbox.my-ca
  State        ! Pending

Request
  Subject    CN=example
  Names      (no subjectAltName)
  Key        ECDSA P-256, SHA-256 a4cc72781bef39cac85d35078a47b5c9b4f28d13f1080532bf68ec9b667d1efa
  Signature  valid
  Usages     digital signature, key encipherment
  CA         no
  Duration   2160h (90 days), from the default

Checks
  Issuer      ✓ Issuer sandbox/my-ca (ca) is Ready: KeyPairVerified
  Permission  ✓ the requester may reference the issuer

Certificate, if it were signed now
  Subject, names, key  as in the request
  Usages               digital signature, key encipherment
  CA                   no
  Expires              2027-02-22T12:00:00Z

Why it has no certificate (WaitingApproval)
  the CSR is not approved yet
  An approver checks the content, and approves or denies it.

  kubectl countersign approve jane
`;
