// Random requests through approver and signer: every name in a certificate is one that the policy allows, read from the
// certificate by Node's own parser, and every request that should be approved gets its certificate. APPROVAL_CASES sets
// how many.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, before, it } from 'node:test';
import { createPolicy, policyReadiness, request, startApprovalCluster } from '../support/approval/approval-cluster.ts';
import type { WrittenRequest } from '../support/approval/written-request.ts';
import type { Cluster } from '../support/cluster.ts';
import { fuzzSeed, Random, reproduction } from '../support/fuzz/random.ts';
import { getCsr, waitUntilIssued } from '../support/requests.ts';

const CASES = Number(process.env['APPROVAL_CASES'] ?? 200);
const CONCURRENT = 20;

/** Allowed values first, then as many that are not. */
const SUBJECT = {
  allowed: ['CN=a.team-a.svc', 'CN=b.team-a.svc', 'O=team-a', 'O=team-a'],
  forbidden: ['CN=admin', 'CN=a.team-b.svc', 'O=system:masters', 'OU=x', 'emailAddress=a@team-a.example', '1.2.3.4=x'],
};
const NAMES = {
  allowed: ['dns:a.team-a.svc', 'dns:*.team-a.svc', 'email:x@team-a.example', 'ip:10.0.0.1'],
  forbidden: [
    'dns:kubernetes',
    'email:x@other.example',
    'uri:spiffe://x/y',
    'upn:x@team-a.example',
    'directory:CN=x',
    'rid:1.2.3',
    'ip:10.0.0.2',
  ],
};

interface Case {
  readonly name: string;
  readonly written: WrittenRequest;
  readonly isAllowed: boolean;
}

function some(random: Random, { allowed, forbidden }: typeof SUBJECT): { items: string[]; isAllowed: boolean } {
  const items = Array.from({ length: random.below(4) }, () => random.pick(allowed));
  const isAllowed = random.below(3) > 0;
  if (!isAllowed) items.splice(random.below(items.length + 1), 0, random.pick(forbidden));
  return { items, isAllowed };
}

function randomCase(random: Random, at: number): Case {
  const subject = some(random, SUBJECT);
  const names = some(random, NAMES);
  const isCA = random.below(10) === 0;
  const written = { subject: subject.items, names: names.items, isCA };
  return { name: `random-${at}`, written, isAllowed: subject.isAllowed && names.isAllowed && !isCA };
}

/** In the words of Node: `CN=…` lines, and `DNS:…, email:…`. */
const ALLOWED_SUBJECT = /^(CN=[ab]\.team-a\.svc|O=team-a)$/;
const ALLOWED_NAME = /^(DNS:(a|\*)\.team-a\.svc|email:x@team-a\.example|IP Address:10\.0\.0\.1)$/;

function assertNames(pem: string, name: string): void {
  const { subject, subjectAltName, ca } = new X509Certificate(pem);
  const attributes = (subject ?? '')
    .split('\n')
    .flatMap(line => line.split('+'))
    .filter(Boolean);
  for (const attribute of attributes) assert.match(attribute.trim(), ALLOWED_SUBJECT, name);
  for (const alt of (subjectAltName ?? '').split(', ').filter(Boolean)) assert.match(alt, ALLOWED_NAME, name);
  assert.equal(ca, false, name);
}

let cluster: Cluster;
before(async () => {
  cluster = await startApprovalCluster();
  await createPolicy(cluster, 'names', {
    allowed: {
      commonName: { value: '*.{{namespace}}.svc' },
      subject: { organizations: { values: ['team-a'] } },
      dnsNames: { values: ['a.{{namespace}}.svc', '*.{{namespace}}.svc'] },
      emailAddresses: { values: ['*@team-a.example'] },
      ipAddresses: { values: ['10.0.0.1'] },
    },
  });
  assert.match(await policyReadiness(cluster, 'names'), /^True/);
});
after(() => cluster?.stop());

it('no certificate has a name that the policy does not allow, and none is missing', {
  timeout: 3_600_000,
}, async () => {
  const random = new Random(fuzzSeed());
  const waiting: Case[] = [];
  for (let at = 0; at < CASES; at += CONCURRENT) {
    const batch = Array.from({ length: Math.min(CONCURRENT, CASES - at) }, (_, more) => randomCase(random, at + more));
    await Promise.all(batch.map(({ name, written }) => request(cluster, name, written)));
    for (const { name } of batch.filter(({ isAllowed }) => isAllowed)) {
      assertNames((await waitUntilIssued(cluster, name, 30_000)).chain, `${name}, ${reproduction()}`);
    }
    waiting.push(...batch.filter(({ isAllowed }) => !isAllowed));
  }
  for (const { name } of waiting) {
    assert.equal((await getCsr(cluster, name)).status?.conditions, undefined, `${name}, ${reproduction()}`);
  }
  assert.ok(waiting.length > CASES / 4 && waiting.length < (CASES * 3) / 4, `${waiting.length} of ${CASES} wait`);
});
