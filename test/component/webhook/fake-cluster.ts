// A fake cluster for the managed certificate: its Secret and webhook configuration in memory, and what an API server
// trusts by them.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { RetryableError, TerminalError } from '@countersign/common/runtime/errors.ts';
import { ManagedCertificate } from '@countersign/webhook/managed-certificate/managed-certificate.ts';
import { type RecordedCall, RecordingClient } from '../../support/recording-client.ts';
import { TEST_LOG } from '../../support/test-log.ts';

export const DAY_MS = 86_400_000;
export const CONFIGURATION = 'countersign-webhook';
export const SECRET = 'countersign-webhook-ca';

export interface Stored {
  readonly metadata: { readonly name: string; readonly resourceVersion?: string };
  readonly data?: Record<string, string>;
  readonly immutable?: boolean;
  readonly webhooks?: readonly { readonly name: string; readonly clientConfig: { readonly caBundle?: string } }[];
}

/** The Secret and the webhook configuration as in the API server: writes to a stale version conflict. */
export class FakeCluster {
  readonly objects = new Map<string, Stored>();
  readonly client = new RecordingClient(call => this.#answer(call));
  now = new Date('2026-01-01T00:00:00Z');
  /** Runs between a replica's read and its write. */
  beforeWrite: (call: RecordedCall) => unknown = () => undefined;
  /** The waits of the replicas, in milliseconds. */
  readonly waits: number[] = [];
  #version = 0;

  constructor() {
    const webhooks = [{ name: 'requests.countersign.io', clientConfig: {} }];
    this.objects.set(CONFIGURATION, { metadata: { name: CONFIGURATION, resourceVersion: '0' }, webhooks });
    this.applySecret();
  }

  /** Empty, as the chart creates it. */
  applySecret(): void {
    this.objects.set(SECRET, { metadata: { name: SECRET, resourceVersion: '7' } });
  }

  replica(): ManagedCertificate {
    return new ManagedCertificate({
      client: this.client,
      log: TEST_LOG,
      secret: { namespace: 'countersign', name: SECRET },
      configuration: CONFIGURATION,
      names: ['countersign-webhook.countersign.svc', '127.0.0.1'],
      now: () => this.now,
      wait: async milliseconds => void this.waits.push(milliseconds),
    });
  }

  pass(milliseconds: number): void {
    this.now = new Date(this.now.getTime() + milliseconds);
  }

  /** The certificates that the API server trusts. */
  get trusted(): X509Certificate[] {
    const bundle = this.objects.get(CONFIGURATION)?.webhooks?.[0]?.clientConfig.caBundle ?? '';
    const pems =
      Buffer.from(bundle, 'base64')
        .toString()
        .match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? [];
    return pems.map(pem => new X509Certificate(pem));
  }

  signerOf(certPem: string): X509Certificate | undefined {
    const leaf = new X509Certificate(certPem);
    return this.trusted.find(ca => leaf.checkIssued(ca) && leaf.verify(ca.publicKey) && ca.validToDate > this.now);
  }

  /** Whether an API server would trust a webhook with this certificate. */
  trusts(certPem: string): boolean {
    return this.signerOf(certPem) !== undefined && new X509Certificate(certPem).validToDate > this.now;
  }

  #answer({ verb, path, body }: RecordedCall): unknown {
    const name = path.replace(/\?.*/, '').split('/').at(-1) ?? '';
    if (verb === 'get') return structuredClone(this.objects.get(name));
    assert.equal(verb, 'update', 'nothing may be created');
    this.beforeWrite({ verb, path, body });
    const given = body as Stored;
    const stored = this.objects.get(given.metadata.name);
    if (stored === undefined) throw new TerminalError('not found', { code: 'not-found' });
    if (given.metadata.resourceVersion !== stored?.metadata.resourceVersion) {
      throw new RetryableError('conflict', { code: 'conflict' });
    }
    if (stored?.immutable === true) throw new TerminalError('field is immutable', { code: 'invalid' });
    this.#version += 1;
    const written = { ...given, metadata: { ...given.metadata, resourceVersion: String(this.#version) } };
    this.objects.set(given.metadata.name, structuredClone(written));
    return written;
  }
}
