// A performance guard that counts work instead of time: API calls and memory for the certificate of a pod. What
// docs/scaling.md says about pods.

import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, test } from 'node:test';
import { getHeapStatistics } from 'node:v8';
import { EventRecorder } from '@countersign/common/runtime/controller/event-recorder.ts';
import { createLogger } from '@countersign/common/runtime/process/log.ts';
import { SharedAnswers } from '@countersign/common/runtime/shared-answers.ts';
import { AS_CERT_MANAGER } from '@countersign/signer/issuance/issuance-policy.ts';
import { createCaIssuer } from '@countersign/signer/issuers/ca.ts';
import { type ReconcileDeps, reconcile } from '@countersign/signer/reconcile.ts';
import { createPodKind } from '@countersign/signer/requests/pod-certificate/pod-kind.ts';
import { type PodRecord, toPodRecord } from '@countersign/signer/requests/pod-certificate/pod-record.ts';
import { SecretReader } from '@countersign/signer/secret-reader.ts';
import { OtherSigners } from '@countersign/signer/writes/other-signers.ts';
import { Unreported } from '@countersign/signer/writes/unreported.ts';
import { WriteLedger } from '@countersign/signer/writes/write-ledger.ts';
import { buildIssuer, buildSecret, rootTexts } from '../../support/ca-builder.ts';
import { buildPodRequest, buildStub, type PodRequestOrder } from '../../support/pod-request-builder.ts';
import { type RecordedCall, RecordingClient } from '../../support/recording-client.ts';
import { NOW, REVIEW, REVIEW_PATH, SECRET } from './signer-harness.ts';

const PATCH =
  'mergePatch /apis/certificates.k8s.io/v1/namespaces/team/podcertificaterequests/req-abcde/status?fieldManager=countersign-signer';
const KEY = 'team/req-abcde';

const log = createLogger({
  service: 'test',
  level: 'error',
  destination: new Writable({ write: (_line, _, done) => done() }),
});

/** One signer whose API server allows `mayReference`. */
class PodWorld {
  mayReference = true;
  readonly client = new RecordingClient(call => this.#answer(call));
  readonly #events = new EventRecorder(this.client, log);
  readonly #deps: Omit<ReconcileDeps<PodRecord>, 'view' | 'ledger'>;

  constructor() {
    const kind = createPodKind({
      policy: { maxDuration: undefined, backdateMs: 60_000 },
      defaults: { trustDomain: 'cluster.local', clusterDomain: 'cluster.local' },
    });
    this.#deps = {
      client: this.client,
      events: this.#events,
      secrets: new SecretReader(this.client, () => 0),
      settings: {
        policy: AS_CERT_MANAGER,
        handlers: [createCaIssuer()],
        clusterResourceNamespace: 'countersign',
        writeCaAnnotation: true,
      },
      kind,
      reviews: new SharedAnswers<boolean>(kind.sharesPermissionMs, () => 0),
      isLeading: () => true,
      unreported: new Unreported(),
      others: new OtherSigners(kind, new WriteLedger()),
      now: () => NOW,
    };
  }

  /** One run for a request that the signer has not seen before. */
  async run(order: PodRequestOrder = {}): Promise<void> {
    const record = toPodRecord(buildPodRequest(order), NOW.getTime());
    const view = { findIssuer: () => buildIssuer(), findRecord: () => record };
    const deps = { ...this.#deps, view, ledger: new WriteLedger() };
    const { error } = await reconcile(deps, { name: KEY, attempt: 0, log });
    await this.#events.flush(AbortSignal.timeout(1_000));
    if (error !== undefined) throw error;
  }

  /** What was asked, events left out, as `verb path`. */
  get asked(): string[] {
    return this.client.calls.filter(({ path }) => !path.includes('/events')).map(({ verb, path }) => `${verb} ${path}`);
  }

  #answer({ verb, path }: RecordedCall): unknown {
    if (path === REVIEW_PATH) return { status: { allowed: this.mayReference } };
    return verb === 'get' && path.startsWith('/api/v1/namespaces/') ? buildSecret(rootTexts()) : undefined;
  }
}

describe('calls of the API server for a pod', () => {
  test('a certificate costs one review, one read of the Secret, one write and no event', async () => {
    const world = new PodWorld();
    await world.run();
    assert.deepEqual(world.asked, [REVIEW, SECRET, PATCH]);
    assert.deepEqual(world.client.events, []);
  });

  test('pods with the same ServiceAccount and issuer share one review in a second, other ServiceAccounts do not', async () => {
    const world = new PodWorld();
    for (let run = 0; run < 10; run += 1) await world.run({ uid: `uid-${run}` });
    await world.run({ serviceAccountName: 'other' });
    const count = (call: string) => world.asked.filter(asked => asked === call).length;
    assert.deepEqual([REVIEW, SECRET, PATCH].map(count), [2, 1, 11]);
  });

  test('pods that start at the same time share the review that is in progress', async () => {
    const world = new PodWorld();
    await Promise.all(Array.from({ length: 10 }, (_, index) => world.run({ uid: `uid-${index}` })));
    const count = (call: string) => world.asked.filter(asked => asked === call).length;
    assert.deepEqual([REVIEW, SECRET, PATCH].map(count), [1, 1, 10]);
  });

  test('a request without the permission costs two reviews and two events, and writes nothing to the request', async () => {
    const world = new PodWorld();
    world.mayReference = false;
    await world.run();
    assert.deepEqual(world.client.writes, []);
    assert.equal(world.asked.filter(asked => asked === REVIEW).length, 2);
    assert.deepEqual(
      world.client.events.map(event => event.replace(/:.*/, '')),
      ['Warning DeniedReference', 'Warning DeniedReference'],
    );
  });
});

describe('memory for a pod', () => {
  // Measured: 200 to 210 kB, including the test's client and harness; up to 340 kB before the compiler has optimized.
  const MOST_BYTES = 300_000;

  test('issuing a certificate allocates no more memory than the limit', async () => {
    const world = new PodWorld();
    const stub = buildStub();
    const sign = async (count: number) => {
      const before = getHeapStatistics().total_allocated_bytes;
      for (let run = 0; run < count; run += 1) await world.run({ uid: `uid-${run}`, stub });
      return (getHeapStatistics().total_allocated_bytes - before) / count;
    };
    await sign(1_500);
    const bytes = await sign(500);
    assert.ok(bytes < MOST_BYTES, `${Math.round(bytes)} bytes per certificate`);
  });
});
