// One CSR of an ACME issuer against an API server that exists only here: which calls delegation makes, what it uses,
// and what it reports. Status and differences are in the unit tests.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RetryableError, TerminalError } from '@countersign/common/runtime/errors.ts';
import {
  type CertificateRequest,
  collectionPath,
  nameFor,
} from '@countersign/signer/issuers/cert-manager/certificate-request.ts';
import { createDelegatedIssuer } from '@countersign/signer/issuers/cert-manager/delegated-issuer.ts';
import { buildIssuer } from '../../support/ca-builder.ts';
import { buildCertificate, createHolder } from '../../support/certificate-builder.ts';
import type { RecordedCall } from '../../support/recording-client.ts';
import { NOW, REVIEW } from './reconcile-harness.ts';
import { PATCH, SignerHarness } from './signer-harness.ts';

const OWN = 'system:serviceaccount:countersign:countersign-signer';
const COLLECTION = collectionPath('sandbox');
const CREATE = `create ${COLLECTION}?fieldManager=countersign-signer`;
const nameOfAttempt = (attempt: number) => nameFor('jane', 'uid-of-jane', attempt);
const READ = `get ${COLLECTION}/${nameOfAttempt(1)}`;
const APPROVED = [{ type: 'Approved', status: 'True' }];
const WAITS = `Normal CertificateRequestPending: Waiting for CertificateRequest sandbox/${nameOfAttempt(1)}: not approved yet`;

const FORGED = 'Warning CertificateRequestForged';

/** The CertificateRequests of the API server. */
class Store {
  readonly objects = new Map<string, CertificateRequest>();
  /** What cert-manager's webhook records. */
  username: string | undefined = OWN;
  /** Throws to fail a creation before it is stored, or after. */
  before: () => void = () => undefined;
  after: () => void = () => undefined;
  beforePatch: () => void = () => undefined;
  isServed = true;

  answer({ verb, path, body }: RecordedCall): unknown {
    if (!path.startsWith(COLLECTION)) return undefined;
    if (verb === 'mergePatch') return this.#patch(path, body as CertificateRequest);
    return verb === 'create' ? this.#create(body as CertificateRequest) : this.#read(path.split('/').at(-1) ?? '');
  }

  put(object: CertificateRequest): void {
    this.objects.set(object.metadata.name, object);
  }

  #create(wanted: CertificateRequest): CertificateRequest {
    this.before();
    const { name } = wanted.metadata;
    if (this.objects.has(name)) throw new TerminalError('it exists', { code: 'already-exists' });
    const spec = { ...wanted.spec, ...(this.username !== undefined && { username: this.username }) };
    this.put({ ...wanted, metadata: { ...wanted.metadata, creationTimestamp: NOW.toISOString() }, spec });
    this.after();
    return this.#read(name);
  }

  #patch(path: string, { status }: CertificateRequest): CertificateRequest {
    this.beforePatch();
    const [, name = ''] = /\/([^/]+)\/status\?/.exec(path) ?? [];
    this.put({ ...this.#read(name), ...(status && { status }) });
    return this.#read(name);
  }

  #read(name: string): CertificateRequest {
    return this.objects.get(name) ?? assert.fail(`${name} is read, and does not exist`);
  }
}

function open(cached: readonly string[] = [], approves = false) {
  const harness = new SignerHarness();
  const store = new Store();
  const watch = {
    has: (place: string) => cached.includes(place),
    isServed: async () => store.isServed,
    noteServed: () => undefined,
  };
  const deps = {
    client: harness.client,
    watch,
    username: async () => OWN,
    clusterResourceNamespace: 'countersign',
    now: () => NOW,
    approves,
  };
  Object.assign(harness.deps.settings, { handlers: [createDelegatedIssuer('venafi', deps)] });
  harness.issuer = buildIssuer({ venafi: {} });
  harness.fault = call => store.answer(call);
  return { harness, store };
}

describe('delegation of one CSR', () => {
  it('creates one CertificateRequest, and waits for its approval', async () => {
    const { harness, store } = open();
    await harness.run();
    assert.deepEqual(harness.asked, [REVIEW, CREATE]);
    assert.deepEqual(harness.client.events, [WAITS]);
    assert.deepEqual(harness.requeueDelays, [30_000]);
    assert.deepEqual([...store.objects.keys()], [nameOfAttempt(1)]);
  });

  it('finds the CertificateRequest of a process that crashed, and creates no other', async () => {
    const { harness, store } = open();
    await harness.run();
    await harness.run();
    assert.deepEqual(harness.asked, [REVIEW, CREATE, REVIEW, CREATE, READ]);
    assert.equal(store.objects.size, 1);
  });

  it('reads one that the watch has seen, without trying to create it', async () => {
    const seen: string[] = [];
    const { harness } = open(seen);
    await harness.run();
    seen.push(`sandbox/${nameOfAttempt(1)}`);
    await harness.run();
    assert.deepEqual(harness.asked, [REVIEW, CREATE, REVIEW, READ]);
  });

  it('finds it again if the answer to its creation was lost', async () => {
    const { harness, store } = open();
    store.after = () => {
      throw new RetryableError('connection reset', { code: 'network' });
    };
    await assert.rejects(harness.run(), { code: 'network' });
    store.after = () => undefined;
    await harness.run();
    assert.deepEqual([store.objects.size, harness.client.events], [1, [WAITS]]);
  });

  it('creates it again if it was deleted', async () => {
    const { harness, store } = open();
    await harness.run();
    store.objects.clear();
    await harness.run();
    assert.deepEqual(harness.asked, [REVIEW, CREATE, REVIEW, CREATE]);
  });
});

describe('the approval of a CertificateRequest', () => {
  const APPROVE = `mergePatch ${COLLECTION}/${nameOfAttempt(1)}/status?fieldManager=countersign-signer`;

  it('is given once, where the operator wants it', async () => {
    const { harness, store } = open([], true);
    await harness.run();
    await harness.run();
    assert.deepEqual(harness.asked, [REVIEW, CREATE, APPROVE, REVIEW, CREATE, READ]);
    const { conditions = [] } = store.objects.get(nameOfAttempt(1))?.status ?? {};
    assert.deepEqual(
      conditions.map(({ type, status, lastTransitionTime }) => [type, status, lastTransitionTime]),
      [['Approved', 'True', '2026-11-24T12:00:00Z']],
    );
  });

  it('that the webhook of cert-manager refuses makes the CSR wait, with its words', async () => {
    const { harness, store } = open([], true);
    const problem = 'referenced signer resource does not exist';
    store.beforePatch = () => {
      const message = `PATCH /x: 403 admission webhook "webhook.cert-manager.io" denied the request: ${problem}`;
      throw new RetryableError(message, { code: 'forbidden' });
    };
    await harness.run();
    assert.deepEqual(harness.client.events, [
      `Warning CertificateRequestNotApproved: CertificateRequest sandbox/${nameOfAttempt(1)} cannot be approved: ${problem}`,
    ]);
    assert.deepEqual(harness.requeueDelays, [60_000]);
  });

  it('that fails for another cause is retried', async () => {
    const { harness, store } = open([], true);
    store.beforePatch = () => {
      throw new RetryableError('connection reset', { code: 'network' });
    };
    await assert.rejects(harness.run(), { code: 'network' });
  });

  it('is not given to one that someone denied, or that someone else created', async () => {
    const { harness, store } = open();
    await harness.run();
    const found = store.objects.get(nameOfAttempt(1)) ?? assert.fail('nothing was created');
    for (const other of [
      { ...found, status: { conditions: [{ type: 'Denied', status: 'True', message: 'no' }] } },
      { ...found, spec: { ...found.spec, username: 'eve' } },
    ]) {
      const { harness: approver, store: theirs } = open([], true);
      theirs.put(other);
      await approver.run();
      assert.ok(!approver.asked.includes(APPROVE), approver.asked.join());
    }
  });
});

describe('a CertificateRequest with the name of ours', () => {
  it('is not used if someone else created it; the next name is', async () => {
    const { harness, store } = open();
    store.username = 'eve';
    await harness.run();
    store.username = OWN;
    await harness.run();
    assert.deepEqual([...store.objects.keys()], [1, 2].map(nameOfAttempt));
    const place = `sandbox/${nameOfAttempt(1)}`;
    assert.ok(harness.client.events.some(event => event.startsWith(`${FORGED}: CertificateRequest ${place} exists`)));
  });

  it('is never used, even if all names are taken: five calls, then the CSR waits', async () => {
    const { harness, store } = open();
    for (let attempt = 1; attempt <= 5; attempt++) {
      store.username = 'eve';
      await harness.run();
      store.username = OWN;
    }
    const before = harness.client.calls.length;
    await harness.run();
    const creations = harness.client.calls
      .slice(before)
      .filter(({ path, verb }) => verb === 'create' && path.startsWith(COLLECTION));
    assert.equal(creations.length, 5);
    assert.equal(harness.outcomes.at(-1)?.reason, 'CertificateRequestForged');
    assert.equal(store.objects.size, 5);
  });

  it('that was issued by a forger is not written', async () => {
    const { harness, store } = open();
    await harness.run();
    const found = store.objects.get(nameOfAttempt(1)) ?? assert.fail('nothing was created');
    const chain = buildCertificate(createHolder('forged'));
    store.put({
      ...found,
      spec: { ...found.spec, username: 'eve' },
      status: {
        conditions: [...APPROVED, { type: 'Ready', status: 'True' }],
        certificate: Buffer.from(chain).toString('base64'),
      },
    });
    await harness.run();
    assert.ok(!harness.asked.includes(PATCH));
  });

  it('that has the certificate of another key fails the CSR, and the certificate is not written', async () => {
    const { harness, store } = open();
    await harness.run();
    const found = store.objects.get(nameOfAttempt(1)) ?? assert.fail('nothing was created');
    const chain = buildCertificate(createHolder('another key'));
    const certificate = Buffer.from(chain).toString('base64');
    store.put({ ...found, status: { conditions: [...APPROVED, { type: 'Ready', status: 'True' }], certificate } });
    await harness.run();
    assert.equal(harness.outcomes.at(-1)?.result, 'failed');
    assert.ok(!JSON.stringify(harness.client.writes).includes(certificate));
  });

  it('is not created a second time if no webhook records who created it', async () => {
    const { harness, store } = open();
    store.username = undefined;
    await harness.run();
    assert.equal(store.objects.size, 1);
    assert.match(
      harness.client.events.at(-1) ?? '',
      /^Warning CertificateRequestNotCreated: .*webhook of cert-manager/,
    );
  });
});

describe('a CertificateRequest that cannot be created', () => {
  const forbidden = (message: string) => new RetryableError(`POST x: 403: ${message}`, { code: 'forbidden' });
  const NAME = `sandbox/${nameOfAttempt(1)}`;
  for (const [what, error, expected, delay] of [
    [
      "fails the CSR if cert-manager's webhook rejects its spec",
      forbidden('admission webhook "webhook.cert-manager.io" denied the request: spec.request: Invalid value: "x"'),
      `Warning CertificateRequestInvalid: CertificateRequest ${NAME} is invalid: spec.request: Invalid value: "x"`,
      undefined,
    ],
    [
      'waits if another webhook denies it',
      forbidden('admission webhook "policy.example" denied the request: not on Fridays'),
      `Warning CertificateRequestNotCreated: Cannot create CertificateRequest ${NAME}: webhook policy.example denies it: not on Fridays`,
      60_000,
    ],
    [
      "waits if cert-manager's webhook does not answer",
      new RetryableError('500: failed calling webhook "webhook.cert-manager.io": refused', { code: 'server' }),
      `Warning CertificateRequestNotCreated: Cannot create CertificateRequest ${NAME}: failed calling webhook "webhook.cert-manager.io": refused`,
      5_000,
    ],
    [
      'waits if the namespace is missing',
      new TerminalError('404', { code: 'not-found' }),
      `Warning CertificateRequestNotCreated: Cannot create CertificateRequest ${NAME}: namespace sandbox does not exist`,
      60_000,
    ],
  ] as const) {
    it(what, async () => {
      const { harness, store } = open();
      store.before = () => {
        throw error;
      };
      await harness.run();
      assert.deepEqual(harness.client.events, [expected]);
      assert.deepEqual(harness.requeueDelays, delay === undefined ? [] : [delay]);
    });
  }

  it('waits if the API server has no CertificateRequests', async () => {
    const { harness, store } = open();
    store.isServed = false;
    store.before = () => {
      throw new RetryableError('404 page not found', { code: 'server' });
    };
    await harness.run();
    assert.equal(harness.outcomes.at(-1)?.reason, 'CertificateRequestNotServed');
    assert.deepEqual(harness.requeueDelays, [15_000]);
  });

  it('is retried as any call if the permission is missing', async () => {
    const { harness, store } = open();
    const missing = forbidden('certificaterequests.cert-manager.io is forbidden: User "x" cannot create resource');
    store.before = () => {
      throw missing;
    };
    await assert.rejects(harness.run(), missing);
    assert.deepEqual(harness.client.events, []);
  });
});
