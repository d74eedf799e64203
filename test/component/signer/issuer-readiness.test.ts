// The Ready condition of one issuer with a recording client: when it is written, its content and its events.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Condition } from '@countersign/common/csr.ts';
import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import { EventRecorder } from '@countersign/common/runtime/controller/event-recorder.ts';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import type { Secret } from '@countersign/common/secret.ts';
import type { IssuerRef } from '@countersign/common/signer-name.ts';
import { type ReadinessDeps, reconcileReadiness } from '@countersign/signer/issuer-status/issuer-readiness.ts';
import { createCaIssuer } from '@countersign/signer/issuers/ca.ts';
import { createSelfSignedIssuer } from '@countersign/signer/issuers/self-signed.ts';
import { SecretReader } from '@countersign/signer/secret-reader.ts';
import { buildIssuer, buildSecret, CA_SPEC, readCertificates, rootTexts } from '../../support/ca-builder.ts';
import { readPki } from '../../support/pki.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import { TEST_LOG } from '../../support/test-log.ts';

const NOW = new Date('2026-11-24T12:00:00.789Z');
const BEFORE = '2026-11-23T00:00:00Z';
const REF: IssuerRef = { kind: 'Issuer', namespace: 'sandbox', name: 'my-ca' };
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
  /** Whether name constraints are published, for which issuers are read in any case. */
  readonly publishes?: boolean;
}

function setup({ conditions = [], spec = CA_SPEC, secret, mayWrite = true, publishes = false }: Setup) {
  const client = new RecordingClient(({ path, verb }) => (verb === 'get' && path === SECRET ? secret : undefined));
  const events = new EventRecorder(client, TEST_LOG);
  const secrets = new SecretReader(client, () => 0);
  const expiries: (Date | undefined)[] = [];
  const deps: ReadinessDeps = {
    client,
    log: TEST_LOG,
    events,
    secrets,
    now: () => NOW,
    settings: { handlers: [createCaIssuer(), createSelfSignedIssuer()], clusterResourceNamespace: 'countersign' },
    isLeading: () => true,
    mayWrite: () => mayWrite,
    ...(publishes && { constraints: { set: () => {} } }),
    metrics: {
      recordCaExpiry: (_, end) => {
        const hasChanged = end?.getTime() !== expiries.at(-1)?.getTime();
        expiries.push(end);
        return hasChanged;
      },
    },
  };
  const issuer: Issuer = { ...buildIssuer(spec), status: { conditions } };
  const run = async (ref = REF) => {
    const change = await reconcileReadiness(deps, ref, issuer);
    await events.flush(AbortSignal.timeout(1_000));
    return change;
  };
  return { client, deps, expiries, run };
}

const secret = buildSecret(rootTexts());

interface Row extends Setup {
  /** The Ready condition that is written; undefined: no write. */
  readonly written?: Condition;
  readonly events?: readonly string[];
}

const at = (condition: Condition, time: string) => ({ ...condition, lastTransitionTime: time });
const NOW_TEXT = '2026-11-24T12:00:00Z';
const VERIFIED_EVENTS = ['Normal KeyPairVerified: Signing CA verified'];

const NOT_STRICT = buildSecret({ ...rootTexts(), 'tls.crt': readCertificates('root-without-ski') });
const NOT_STRICT_EVENTS = [
  'Warning NotStrictlyValid: Strict X.509 clients reject certificates from this issuer: certificate 1 in tls.crt has no keyUsage (RFC 5280 4.2.1.3), and no subject key identifier (RFC 5280 4.2.1.2); reissue the CA certificate',
];

const ROWS: Record<string, Row> = {
  'is written for a new issuer': { secret, written: at(VERIFIED, NOW_TEXT), events: VERIFIED_EVENTS },
  'is not rewritten unchanged': { secret, conditions: [VERIFIED] },
  'is not rewritten unchanged when False': { conditions: [MISSING] },
  'becomes False with a new time when the Secret is deleted': {
    conditions: [VERIFIED],
    written: at(MISSING, NOW_TEXT),
    events: MISSING_EVENTS,
  },
  'becomes True with a new time when the Secret is created': {
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
  'keeps its time when only the generation changes': {
    secret,
    conditions: [{ ...VERIFIED, observedGeneration: 1 }],
    written: VERIFIED,
    events: VERIFIED_EVENTS,
  },
  'gets a time if it has none when another field changes': {
    secret,
    conditions: [{ type: 'Ready', status: 'True' }],
    written: at(VERIFIED, NOW_TEXT),
    events: VERIFIED_EVENTS,
  },
  'is written without an event for a SelfSigned issuer': {
    spec: { selfSigned: {} },
    written: { ...at(VERIFIED, NOW_TEXT), reason: 'IsReady', message: '' },
  },
  'stays unchanged if strict clients reject the CA, with a Warning event': {
    secret: NOT_STRICT,
    conditions: [VERIFIED],
    events: NOT_STRICT_EVENTS,
  },
  'stays True, as in cert-manager, if key and certificate do not match': {
    secret: buildSecret({ ...rootTexts(), 'tls.key': readPki('keys/p256') }),
    conditions: [VERIFIED],
  },
  'of cert-manager is not written if strict clients reject the CA, with the same Warning event': {
    secret: NOT_STRICT,
    mayWrite: false,
    publishes: true,
    events: NOT_STRICT_EVENTS,
  },
  'is not written if this signer does not maintain it': { secret, mayWrite: false },
  'is not written on an issuer of another type': { spec: { vault: {} } },
  'is not written on an issuer without a type': { spec: {} },
};

describe('the Ready condition', () => {
  for (const [what, { written, events = [], ...given }] of Object.entries(ROWS)) {
    it(`the Ready condition ${what}`, async () => {
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

  it('other conditions are kept when the Ready condition is written', async () => {
    const { client, run } = setup({ secret, conditions: [MISSING, OTHER] });
    await run();
    const { status } = client.writes[0]!.body as { status: { conditions: Condition[] } };
    assert.deepEqual(status.conditions, [OTHER, at(VERIFIED, NOW_TEXT)]);
  });

  it('the Ready condition of a ClusterIssuer depends on the Secret in the cluster resource namespace', async () => {
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

  it('nothing is read if the Ready condition may not be written', async () => {
    const { client, run } = setup({ secret, mayWrite: false });
    await run();
    assert.deepEqual(client.calls, []);
  });

  it('nothing is read for a deleted issuer', async () => {
    const { client, deps } = setup({ secret });
    await reconcileReadiness(deps, REF, undefined);
    assert.deepEqual(client.calls, []);
  });

  it('an issuer that is not Ready waits for a change of its missing or invalid Secret', async () => {
    const bad = { ...secret, data: {} };
    const ref = { namespace: 'sandbox', name: 'my-ca' };
    assert.deepEqual(await setup({}).run(), { onChange: { ref, version: undefined } });
    assert.deepEqual(await setup({ secret: bad }).run(), {
      onChange: { ref, version: secret.metadata.resourceVersion },
    });
    assert.deepEqual(await setup({ secret }).run(), {});
  });

  it('the Ready condition is unchanged while the Secret cannot be read, and the read is retried', async () => {
    const { client, run } = setup({ conditions: [VERIFIED] });
    client.answer = () => {
      throw new RetryableError('down', { code: 'server' });
    };
    await assert.rejects(run(), { code: 'server' });
    assert.deepEqual(client.writes, []);
  });

  it('a Ready condition that could not be written causes no event', async () => {
    const { client, run } = setup({});
    client.answer = ({ verb }) => {
      if (verb === 'mergePatch') throw new RetryableError('conflict', { code: 'conflict' });
      return undefined;
    };
    await assert.rejects(run(), { code: 'conflict' });
    assert.deepEqual(client.events, []);
  });
});

it('the expiry of the CA is recorded, or that there is none', async () => {
  const harness = setup({ secret });
  await harness.run();
  assert.deepEqual(harness.expiries, [new X509Certificate(readCertificates('root')).validToDate]);
  const without = setup({ spec: { selfSigned: {} } });
  await without.run();
  assert.deepEqual(without.expiries, [undefined]);
});

it('a replica that loses leadership while it reads the Secret writes nothing', async () => {
  const harness = setup({ secret });
  const answers = [true, false];
  Object.assign(harness.deps, { mayWrite: () => answers.shift() });
  await harness.run();
  assert.deepEqual(
    harness.client.calls.map(({ path }) => path),
    [SECRET],
  );
});
