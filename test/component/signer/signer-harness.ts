// A signer that reconciles one CSR at a time in an in-memory cluster, and what it asks its caller to do.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import type { TerminalError } from '@countersign/common/runtime/errors.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import type { Effect, Outcome } from '@countersign/signer/effect.ts';
import { CSR_KIND } from '@countersign/signer/requests/csr/csr-kind.ts';
import type { CsrRecord } from '@countersign/signer/requests/csr/csr-record.ts';
import { settleWrites } from '@countersign/signer/writes/fresh-read.ts';
import { buildCsr, type CsrOrder } from '../../support/csr-builder.ts';
import type { RecordedCall } from '../../support/recording-client.ts';
import { type HarnessOptions, ReconcileHarness } from './reconcile-harness.ts';

export const CSR_PATH = '/apis/certificates.k8s.io/v1/certificatesigningrequests/jane';
export const STATUS_PATH = `${CSR_PATH}/status?fieldManager=countersign-signer`;
/** In the format of `asked`. */
export const PATCH = `mergePatch ${STATUS_PATH}`;
export const ISSUED = 'Normal CertificateIssued: Certificate fetched from issuer successfully';

export class SignerHarness extends ReconcileHarness<CsrRecord> {
  /** As cached by the signer; the API server has `fresh`, which is the same unless set. */
  csr: CertificateSigningRequest = buildCsr();
  fresh: CertificateSigningRequest | undefined;
  readonly outcomes: Outcome[] = [];
  /** For each outcome, how long the request could have been signed already. */
  readonly openMs: number[] = [];
  readonly rechecked: SignerRef[] = [];
  readonly refused: TerminalError[] = [];
  readonly requeued: string[] = [];
  /** The requested requeue delays, in milliseconds. */
  readonly requeueDelays: number[] = [];

  constructor(options: HarnessOptions = {}) {
    super(CSR_KIND, options);
  }

  protected override get cached(): CertificateSigningRequest {
    return this.csr;
  }

  protected override get stored(): CertificateSigningRequest {
    return this.fresh ?? this.csr;
  }

  /** Reconciles once; rejects with the error to retry, after writing the events. */
  async run(attempt = 0, deps = this.deps): Promise<void> {
    const { effects, error } = await this.reconcile(attempt, deps);
    this.#carryOut(effects);
    if (error !== undefined) throw error;
  }

  /** Settles unanswered writes as at the end of leadership. */
  async settle(): Promise<void> {
    this.#carryOut(await settleWrites(this.deps, this.log, AbortSignal.timeout(1_000)));
  }

  #report({ outcome, openMs }: Extract<Effect, { kind: 'report' }>): void {
    this.outcomes.push(outcome);
    this.openMs.push(openMs);
  }

  #carryOut(effects: readonly Effect[]): void {
    const { name } = this.csr.metadata;
    for (const effect of effects) {
      if (effect.kind === 'report') this.#report(effect);
      else if (effect.kind === 'recheck-issuer') this.rechecked.push(effect.ref);
      else if (effect.kind === 'count-refusal') this.refused.push(effect.error);
      else if (effect.kind === 'count-other-signer') assert.fail('no other signer acts here');
      else if (effect.kind === 'requeue-after') this.requeueDelays.push(effect.afterMs);
      else this.secrets.wakeOnChange(effect.ref, effect.version, name, () => this.requeued.push(name));
    }
  }
}

export interface StatusPatch {
  readonly metadata: { readonly annotations?: Record<string, string> };
  readonly status: { readonly certificate: string };
}

export const isStatusPatch = ({ verb }: RecordedCall): boolean => verb === 'mergePatch';

export function certificateIn(body: unknown): X509Certificate {
  return new X509Certificate(Buffer.from((body as StatusPatch).status.certificate, 'base64'));
}

/** Returns the CSR after the patch, as the API server would send it. */
export function patched(call: RecordedCall | undefined, dropsAnnotation = false): CsrOrder {
  const { metadata, status } = call!.body as StatusPatch;
  const annotations = dropsAnnotation ? {} : (metadata.annotations ?? {});
  return { annotations, certificate: status.certificate };
}
