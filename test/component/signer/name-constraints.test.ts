// The signer with name-constrained CAs: requests with names that the CA may not sign, and the constraints published for
// the webhook.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type PublishedIssuer, parsePublished } from '@countersign/common/issuers/published-constraints.ts';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import type { Secret } from '@countersign/common/secret.ts';
import { buildIssuer, buildSecret } from '../../support/ca-builder.ts';
import { buildCertificate, createHolder } from '../../support/certificate-builder.ts';
import { buildCsr, buildRequest } from '../../support/csr-builder.ts';
import { altNames, type Constraints, constraintsExtension } from '../../support/name-constraints.ts';
import { until } from '../../support/until.ts';
import { start } from './controller-harness.ts';
import { ISSUER, REVIEW, SECRET } from './reconcile-harness.ts';
import { ISSUED, isStatusPatch, PATCH, SignerHarness } from './signer-harness.ts';

const [ROOT, SUB] = [createHolder('root'), createHolder('sub')];
const EXAMPLE_COM: Constraints = { permitted: ['DNS:example.com'] };
const REFUSED = `The name constraints of the CA "CN=root" do not permit the DNS name "www.example.org"; permitted: "example.com"; request another name or use another issuer`;

function keyOf({ privateKey }: typeof ROOT): string {
  return privateKey.export({ format: 'pem', type: 'pkcs8' });
}

/** A self-signed root. */
function rootSecret(constraints?: Constraints, resourceVersion = '1'): Secret {
  const extensions = constraints === undefined ? [] : [constraintsExtension(constraints)];
  return buildSecret(
    { 'tls.key': keyOf(ROOT), 'tls.crt': buildCertificate(ROOT, ROOT, { extensions }) },
    'my-ca',
    resourceVersion,
  );
}

/** A CA below a constrained root that is in ca.crt, where cert-manager puts it. */
function secretBelow(constraints: Constraints): Secret {
  const root = buildCertificate(ROOT, ROOT, { extensions: [constraintsExtension(constraints)] });
  return buildSecret({ 'tls.key': keyOf(SUB), 'tls.crt': buildCertificate(SUB, ROOT), 'ca.crt': root });
}

function askFor(...names: readonly string[]) {
  return buildCsr({ request: buildRequest([altNames(...names)]) });
}

function harnessOf(secret: Secret, honourNameConstraints = true): SignerHarness {
  const harness = new SignerHarness({ policy: { honourNameConstraints } });
  harness.secret = secret;
  return harness;
}

describe('a request for a name that its CA may not sign', () => {
  test('a request for a name that its CA may not sign fails after issuer and Secret are read again', async () => {
    const harness = harnessOf(rootSecret(EXAMPLE_COM));
    harness.csr = askFor('DNS:a.example.com', 'DNS:www.example.org');
    await harness.run();
    assert.deepEqual(harness.asked, [REVIEW, SECRET, ISSUER, SECRET, PATCH]);
    const { status } = harness.client.calls.find(isStatusPatch)!.body as {
      status: { conditions: { reason: string; message: string }[] };
    };
    const { reason, message } = status.conditions.at(-1)!;
    assert.deepEqual([reason, message], ['NameConstraintViolation', REFUSED]);
    assert.deepEqual(harness.client.events, [`Warning NameConstraintViolation: ${REFUSED}`]);
    assert.deepEqual(harness.outcomes, [{ result: 'failed', reason: 'NameConstraintViolation', issuerType: 'ca' }]);
  });

  test('a request is signed if its CA was replaced just before', async () => {
    const harness = harnessOf(rootSecret(EXAMPLE_COM));
    harness.csr = askFor('DNS:www.example.org');
    let reads = 0;
    const replaced = rootSecret({ permitted: ['DNS:example.org'] }, '2');
    harness.fault = ({ path, verb }) =>
      verb === 'get' && path.endsWith('/secrets/my-ca') && ++reads > 1 ? replaced : undefined;
    await harness.run();
    assert.deepEqual(harness.client.events, [ISSUED]);
  });

  test('a request fails by the constraints of a CA above the signing one', async () => {
    const harness = harnessOf(secretBelow(EXAMPLE_COM));
    harness.csr = askFor('DNS:www.example.org');
    await harness.run();
    assert.deepEqual(harness.client.events, [`Warning NameConstraintViolation: ${REFUSED}`]);
  });

  test('a request for a name that its CA may not sign is signed with honourNameConstraints off', async () => {
    const harness = harnessOf(rootSecret(EXAMPLE_COM), false);
    harness.csr = askFor('DNS:www.example.org');
    await harness.run();
    assert.deepEqual(harness.client.events, [ISSUED]);
  });
});

test('a request for names that the CA may sign is signed', async () => {
  const harness = harnessOf(secretBelow(EXAMPLE_COM));
  harness.csr = askFor('DNS:a.example.com');
  await harness.run();
  assert.deepEqual(harness.client.events, [ISSUED]);
});

const MAP = '/api/v1/namespaces/countersign/configmaps/countersign-name-constraints';
const NAME = 'issuers.cert-manager.io/sandbox.my-ca';

/** A ConfigMap that stores writes. */
class PublishedMap {
  data: Record<string, string> | undefined = {};
  readonly writes: string[] = [];

  readonly answer = ({ verb, path, body }: { verb: string; path: string; body?: unknown }): unknown => {
    if (!path.startsWith(MAP)) return undefined;
    if (verb === 'get') return { metadata: {}, data: this.data };
    this.data = (body as { data: Record<string, string> }).data;
    this.writes.push(this.text);
    return body;
  };

  get text(): string {
    return this.data?.['issuers.json'] ?? '';
  }

  get issuers(): Readonly<Record<string, PublishedIssuer>> {
    return this.text === '' ? {} : parsePublished(this.text);
  }
}

const OPTIONS = { constraintsNamespace: 'countersign' };

describe('published name constraints', () => {
  test('the uid of an issuer and its constrained CAs are published once', async t => {
    const map = new PublishedMap();
    await start(t, { secret: secretBelow(EXAMPLE_COM), options: OPTIONS, answer: map.answer });
    await until(() => map.writes.length > 0);
    await sleep(300);
    assert.equal(map.writes.length, 1);
    const { [NAME]: issuer, ...others } = map.issuers;
    assert.deepEqual([issuer?.uid, issuer?.cas.length, others], ['uid-of-issuer', 1, {}]);
  });

  test('nothing is published for CAs without constraints', async t => {
    const map = new PublishedMap();
    const { client } = await start(t, { secret: rootSecret(), options: OPTIONS, answer: map.answer });
    await until(() => client.count(MAP) > 0);
    await sleep(300);
    assert.deepEqual(map.writes, []);
  });

  test('published constraints follow an issuer whose CA is replaced or that is deleted', async t => {
    const map = new PublishedMap();
    const { client } = await start(t, { secret: rootSecret(EXAMPLE_COM), options: OPTIONS, answer: map.answer });
    await until(() => map.writes.length === 1);
    client.secret = rootSecret({ permitted: ['DNS:example.org'] }, '2');
    await until(() => map.writes.length === 2);
    assert.notEqual(map.writes[0], map.writes[1]);
    client.push('issuers', 'DELETED', buildIssuer(), '9');
    await until(() => map.text === '');
  });

  test('constraints published by a previous leader are kept for existing issuers only', async t => {
    const map = new PublishedMap();
    const ofFormer = { uid: 'uid-of-issuer', cas: [{ subject: '', critical: true, constraints: 'AAAA' }] };
    const names = [NAME, 'issuers.cert-manager.io/sandbox.gone'];
    map.data = { 'issuers.json': JSON.stringify(Object.fromEntries(names.map(name => [name, ofFormer]))) };
    // The Secret cannot be read, so no newer data is available.
    const answer = (call: { verb: string; path: string; body?: unknown }) => {
      if (call.path.includes('/secrets/')) throw new RetryableError('forbidden', { code: 'forbidden' });
      return map.answer(call);
    };
    await start(t, { options: OPTIONS, answer });
    await until(() => map.writes.length > 0);
    assert.deepEqual(map.issuers, { [NAME]: ofFormer });
  });

  test('only the leader publishes constraints', async t => {
    const map = new PublishedMap();
    const { client } = await start(t, {
      secret: rootSecret(EXAMPLE_COM),
      leads: false,
      options: OPTIONS,
      answer: map.answer,
    });
    await sleep(300);
    assert.equal(client.count(MAP), 0);
  });

  test('the ConfigMap is not read if names are not checked', async t => {
    const { client } = await start(t, { secret: rootSecret(EXAMPLE_COM) });
    await sleep(300);
    assert.equal(client.count(MAP), 0);
  });
});
