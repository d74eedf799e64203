// Writes a certificate to its request, with its event, its log line and any metadata still missing from the object.

import { reasons } from '@countersign/common/reasons/reasons.ts';
import { asClassifiedError, TerminalError } from '@countersign/common/runtime/errors.ts';
import type { Chain } from '../authority/chain.ts';
import type { Decision } from '../decide.ts';
import type { SigningSettings } from '../observe.ts';
import type { RequestRecord } from '../requests/request-kind.ts';
import type { Wait } from '../verdict.ts';
import { type EventDeps, recordIssuance, recordReason, type Subject } from './request-events.ts';
import { completeObject, type WriteDeps, writeStatus } from './status-writer.ts';
import { reasonsOf } from './unusable-certificate.ts';

export interface CertificateWriteDeps extends EventDeps, WriteDeps {
  readonly settings: Pick<SigningSettings, 'writeCaAnnotation' | 'policy'>;
  readonly now: () => Date;
}

/** The result of issuing. */
export type Issued =
  | { readonly kind: 'issued' }
  /** Another replica is the leader now. */
  | { readonly kind: 'dropped' }
  /** `refusal`: an error that an operator has to act on. */
  | {
      readonly kind: 'instead';
      readonly decision: Wait | Extract<Decision, { kind: 'fail' }>;
      readonly refusal?: TerminalError;
    };

/**
 * `audit`: the fields of the second audit line. Returns the error if the API server rejects the certificate as invalid.
 */
export async function writeCertificate<R extends RequestRecord>(
  deps: CertificateWriteDeps,
  subject: Subject<R>,
  chain: Chain,
  audit: Readonly<Record<string, unknown>>,
): Promise<TerminalError | undefined> {
  const written = await tryWrite(deps, subject, chain);
  if (written instanceof TerminalError) return written;
  recordIssuance(deps, subject, audit);
  await complete(deps, { ...subject, record: written }, chain.topPem);
  return undefined;
}

/** Returns the written request, or the error if the API server rejects the change as invalid. */
async function tryWrite<R extends RequestRecord>(
  deps: CertificateWriteDeps,
  subject: Subject<R>,
  chain: Chain,
): Promise<R | TerminalError> {
  try {
    const change = subject.kind.issuedChange(subject.record, chain, deps.settings, deps.now());
    return await writeStatus(deps, subject, change);
  } catch (error) {
    if (error instanceof TerminalError && error.code === 'invalid') return error;
    if (isWorthReporting(error) && deps.isLeading()) {
      recordReason(
        deps,
        subject,
        reasonsOf(subject).updateFailed,
        reasons.SigningError.update((error as Error).message),
      );
    }
    throw error;
  }
}

/** A conflict is retried from a fresh read at once, and a deleted request needs no event. */
function isWorthReporting(error: unknown): boolean {
  const { code } = asClassifiedError(error);
  return code !== 'conflict' && code !== 'not-found';
}

/** The certificate is already stored: if this fails, the request comes back in state `repair`. */
async function complete<R extends RequestRecord>(
  deps: CertificateWriteDeps,
  subject: Subject<R>,
  topPem: string,
): Promise<void> {
  try {
    await repair(deps, subject, topPem);
  } catch (error) {
    subject.log.warn({ err: error }, 'cannot write ca annotation, will retry');
  }
}

/** Writes what is still missing from a request that has its certificate. */
export async function repair<R extends RequestRecord>(
  deps: Pick<CertificateWriteDeps, 'client' | 'isLeading' | 'settings'>,
  subject: Subject<R>,
  topPem: string,
): Promise<void> {
  if (await completeObject(deps, subject, topPem)) subject.log.info('ca annotation repaired');
}
