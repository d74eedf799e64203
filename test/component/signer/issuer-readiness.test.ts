// The Ready condition of one issuer against a recording client: when it is written, with what, and who is told.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Condition } from '@countersign/common/csr.ts';
import type { Issuer } from '@countersign/common/issuer.ts';
import { EventRecorder } from '@countersign/common/runtime/controller/event-recorder.ts';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import { type ReadinessDeps, reconcileReadiness } from '@countersign/signer/issuer-status/issuer-readiness.ts';
import { createCaIssuer } from '@countersign/signer/issuers/ca.ts';
import { createSelfSignedIssuer } from '@countersign/signer/issuers/self-signed.ts';
import type { Secret } from '@countersign/signer/secret.ts';
import { SecretReader } from '@countersign/signer/secret-reader.ts';
import { buildIssuer, buildSecret, CA_SPEC, readCertificates, rootTexts } from '../../support/ca-builder.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import { TEST_LOG } from '../../support/test-log.ts';

const NOW = new Date('2026-11-24T12:00:00.789Z');
const BEFORE = '2026-11-23T00:00:00Z';
const REF: SignerRef = { kind: 'Issuer', namespace: 'sandbox', name: 'my-ca' };
const STATUS = '/apis/cert-manager.io/v1/namespaces/sandbox/issuers/my-ca/status?fieldManager=countersign-signer';
const SECRET = '/api/v1/namespaces/sandbox/secrets/my-ca';
const OTHER: Condition = { type: 'Other', status: 'True', message: 'kept' };
const VERIFIED: Condition = {
  type: 'Ready',
  status: 'True',
  reason: 'KeyPairVerified',
  message: 'Signing CA verified',
  lastTransitionTime: BEFORE,
  observedGeneration: 2,
};
const PAIR = 'Error getting keypair for CA issuer: secrets "my-ca" not found';
const MISSING: Condition = { ...VERIFIED, status: 'False', reason: 'ErrGetKeyPair', message: PAIR };
const MISSING_EVENTS = [
  `Warning ErrGetKeyPair: ${PAIR}`,
  'Warning ErrInitIssuer: Error initializing issuer: secrets "my-ca" not found',
];

interface Setup {
  readonly conditions?: readonly Condition[];
  readonly spec?: Issuer['spec'];
  readonly secret?: Secret | undefined;
  readonly mayWrite?: boolean;
}

function setup({ conditions = [], spec = CA_SPEC, secret, mayWrite = true }: Setup) {
  const client = new RecordingClient(({ path, verb }) => (verb === 'get' && path === SECRET ? secret : undefined));
  const events = new EventRecorder(client, TEST_LOG);
  const secrets = new SecretReader(client, () => 0);
  const ends: (Date | undefined)[] = [];
  const deps: ReadinessDeps = {
    client,
    log: TEST_LOG,
    events,
    secrets,
    now: () => NOW,
    settings: { handlers: [createCaIssuer(), createSelfSignedIssuer()], clusterResourceNamespace: 'countersign' },
    isLeading: () => true,
    mayWrite: () => mayWrite,
    metrics: {
      noteEnd: (_, end) => {
        const isNews = end?.getTime() !== ends.at(-1)?.getTime();
        ends.push(end);
        return isNews;
      },
    },
  };
  const issuer: Issuer = { ...buildIssuer(spec), status: { conditions } };
  const run = async (ref = REF) => {
    const change = await reconcileReadiness(deps, ref, issuer);
    await events.flush(AbortSignal.timeout(1_000));
    return change;
  };
  return { client, deps, ends, run };
}

const secret = buildSecret(rootTexts());

interface Row extends Setup {
  /** The Ready condition that is written; undefined for no write. */
  readonly written?: Condition;
  readonly events?: readonly string[];
}

const at = (condition: Condition, time: string) => ({ ...condition, lastTransitionTime: time });
const NOW_TEXT = '2026-11-24T12:00:00Z';
const VERIFIED_EVENTS = ['Normal KeyPairVerified: Signing CA verified'];

const ROWS: Record<string, Row> = {
  'is written for a new issuer': { secret, written: at(VERIFIED, NOW_TEXT), events: VERIFIED_EVENTS },
  'is not written again as it is': { secret, conditions: [VERIFIED] },
  'is not written again as it is, False': { conditions: [MISSING] },
  'becomes False with a new time when the Secret is gone': {
    conditions: [VERIFIED],
    written: at(MISSING, NOW_TEXT),
    events: MISSING_EVENTS,
  },
  'becomes True with a new time when the Secret is there': {
    secret,
    conditions: [MISSING],
    written: at(VERIFIED, NOW_TEXT),
    events: VERIFIED_EVENTS,
  },
  'keeps its time when only the message changes': {
    conditions: [{ ...MISSING, message: 'something else' }],
    written: MISSING,
    events: MISSING_EVENTS,
  },
  'keeps its time when only the generation is another': {
    secret,
    conditions: [{ ...VERIFIED, observedGeneration: 1 }],
    written: VERIFIED,
    events: VERIFIED_EVENTS,
  },
  'gets a time where it has none, once something else is written': {
    secret,
    conditions: [{ type: 'Ready', status: 'True' }],
    written: at(VERIFIED, NOW_TEXT),
    events: VERIFIED_EVENTS,
  },
  'is written without an event for a SelfSigned issuer': {
    spec: { selfSigned: {} },
    written: { ...at(VERIFIED, NOW_TEXT), reason: 'IsReady', message: '' },
  },
  'stays as it is where strict clients reject the CA, and that is told': {
    secret: buildSecret({ ...rootTexts(), 'tls.crt': readCertificates('root-without-ski') }),
    conditions: [VERIFIED],
    events: [
      'Warning NotStrictlyValid: Strict X.509 clients reject certificates from this issuer: certificate 1 in tls.crt has no keyUsage (RFC 5280 4.2.1.3), and no subject key identifier (RFC 5280 4.2.1.2); reissue the CA certificate',
    ],
  },
  'is left alone where it is not ours to write': { secret, mayWrite: false },
  'is left alone on an issuer of another type': { spec: { vault: {} } },
  'is left alone on an issuer without type': { spec: {} },
};

describe('the Ready condition', () => {
  for (const [what, { written, events = [], ...given }] of Object.entries(ROWS)) {
    it(what, async () => {
      const { client, run } = setup(given);
      await run();
      const patch = written && {
        verb: 'mergePatch',
        path: STATUS,
        body: { metadata: { resourceVersion: '3' }, status: { conditions: [written] } },
      };
      assert.deepEqual(client.writes, patch ? [patch] : []);
      assert.deepEqual(client.events, events);
    });
  }

  it('leaves the other conditions as they are', async () => {
    const { client, run } = setup({ secret, conditions: [MISSING, OTHER] });
    await run();
    const { status } = client.writes[0]!.body as { status: { conditions: Condition[] } };
    assert.deepEqual(status.conditions, [OTHER, at(VERIFIED, NOW_TEXT)]);
  });

  it('of a ClusterIssuer is told by the Secret in the one namespace for those', async () => {
    const { client, run } = setup({});
    await run({ kind: 'ClusterIssuer', namespace: '', name: 'my-ca' });
    assert.deepEqual(
      client.calls.slice(0, 2).map(({ path }) => path),
      [
        '/api/v1/namespaces/countersign/secrets/my-ca',
        '/apis/cert-manager.io/v1/clusterissuers/my-ca/status?fieldManager=countersign-signer',
      ],
    );
  });

  it('reads nothing where it may not be written', async () => {
    const { client, run } = setup({ secret, mayWrite: false });
    await run();
    assert.deepEqual(client.calls, []);
  });

  it('reads nothing for an issuer that is gone', async () => {
    const { client, deps } = setup({ secret });
    await reconcileReadiness(deps, REF, undefined);
    assert.deepEqual(client.calls, []);
  });

  it('is looked at again when the missing Secret is there, or the bad one is another', async () => {
    const bad = { ...secret, data: {} };
    const ref = { namespace: 'sandbox', name: 'my-ca' };
    assert.deepEqual(await setup({}).run(), { ref, version: undefined });
    assert.deepEqual(await setup({ secret: bad }).run(), { ref, version: secret.metadata.resourceVersion });
    assert.equal(await setup({ secret }).run(), undefined);
  });

  it('stays as it is while the Secret cannot be read, and the read is tried again', async () => {
    const { client, run } = setup({ conditions: [VERIFIED] });
    client.answer = () => {
      throw new RetryableError('down', { code: 'server' });
    };
    await assert.rejects(run(), { code: 'server' });
    assert.deepEqual(client.writes, []);
  });

  it('that could not be written causes no event', async () => {
    const { client, run } = setup({});
    client.answer = ({ verb }) => {
      if (verb === 'mergePatch') throw new RetryableError('conflict', { code: 'conflict' });
      return undefined;
    };
    await assert.rejects(run(), { code: 'conflict' });
    assert.deepEqual(client.events, []);
  });
});

it('the end of the CA is taken note of, and that there is none', async () => {
  const world = setup({ secret });
  await world.run();
  assert.deepEqual(world.ends, [new X509Certificate(readCertificates('root')).validToDate]);
  const without = setup({ spec: { selfSigned: {} } });
  await without.run();
  assert.deepEqual(without.ends, [undefined]);
});

it('a replica that lost the lead while it read the Secret writes nothing', async () => {
  const world = setup({ secret });
  const answers = [true, false];
  Object.assign(world.deps, { mayWrite: () => answers.shift() });
  await world.run();
  assert.deepEqual(
    world.client.calls.map(({ path }) => path),
    [SECRET],
  );
});
