// Carries out one decision on one CSR: at most one write to its status, and an event that says why. The only file that
// writes to a CSR; it decides nothing.

import { CA, encodeCaAnnotation } from '@countersign/common/annotations.ts';
import { type CertificateSigningRequest, type CsrStatus, formatTime } from '@countersign/common/csr.ts';
import { reasons } from '@countersign/common/reasons.ts';
import { asClassifiedError, TerminalError } from '@countersign/common/runtime/errors.ts';
import type { KubeClient } from '@countersign/common/runtime/kube-client.ts';
import { csrObjectPath, FIELD_MANAGER } from './csr-record.ts';
import type { Decision } from './decide.ts';
import type { Chain } from './issuance/chain.ts';
import { signCertificate } from './issuance/sign.ts';
import type { Issuance } from './issuers/issuer-type.ts';
import { recordReason, type SayDeps, type Subject, sayFailed, sayIssued } from './say.ts';
import type { SecretReader } from './secret-reader.ts';
import type { UnansweredWrites } from './unanswered-writes.ts';

export interface ApplyDeps extends SayDeps {
  readonly client: Pick<KubeClient, 'mergePatch'>;
  /** False once leadership is lost: another replica may be at work, and nothing is signed or written any more. */
  readonly isLeading: () => boolean;
  readonly secrets: Pick<SecretReader, 'wakeOnChange'>;
  readonly now: () => Date;
  /** Whether the `ca` annotation is written with the certificate. */
  readonly writeCaAnnotation: boolean;
  /** What was written to the status of CSRs without an answer: it may be there all the same. */
  readonly unanswered: UnansweredWrites;
  /** The copies that a status was written over: the watch is about to bring what has become of them. */
  readonly overwritten: WeakSet<CertificateSigningRequest>;
  /** Called when the API server takes a certificate for invalid: somebody has to know, for the others will be, too. */
  readonly refused: (error: TerminalError) => void;
  /** Called when a Secret that this CSR waits for has changed. */
  readonly requeue: (csrName: string) => void;
}

/** Gives what was done: the decision, but for a certificate that the API server would never take, which is a failure. */
export async function apply(deps: ApplyDeps, subject: Subject, decision: Decision): Promise<Decision> {
  switch (decision.kind) {
    case 'ignore':
      return decision;
    case 'wait':
      return applyWait(deps, subject, decision);
    case 'fail':
      return applyFail(deps, subject, decision);
    case 'issue':
      return applyIssue(deps, subject, decision);
  }
}

function applyWait(deps: ApplyDeps, subject: Subject, decision: Extract<Decision, { kind: 'wait' }>): Decision {
  const { reason, message, secret } = decision;
  subject.log.debug({ reason, detail: message }, 'request waits');
  recordReason(deps, subject, reason, message);
  if (secret === undefined) return decision;
  const { name } = subject.csr.metadata;
  const version = secret.secret?.metadata.resourceVersion;
  deps.secrets.wakeOnChange(secret.ref, version, csrWaiter(name), () => deps.requeue(name));
  return decision;
}

/** How a CSR is called among those that wait for a Secret. */
export function csrWaiter(name: string): string {
  return `csr/${name}`;
}

type Failure = Extract<Decision, { kind: 'fail' }>;

async function applyFail(deps: ApplyDeps, subject: Subject, failure: Failure): Promise<Decision> {
  const { reason, message } = failure;
  const now = formatTime(deps.now());
  const failed = { type: 'Failed', status: 'True', reason, message, lastTransitionTime: now, lastUpdateTime: now };
  await patchStatus(deps, subject.csr, { status: { conditions: [...(subject.csr.status?.conditions ?? []), failed] } });
  sayFailed(deps, subject, reason, message);
  return failure;
}

type Issue = Extract<Decision, { kind: 'issue' }>;

async function applyIssue(deps: ApplyDeps, subject: Subject, decision: Issue): Promise<Decision> {
  const { issuance } = decision;
  const { certificate, key, complete } = issuance;
  if (!deps.isLeading()) return { kind: 'ignore' };
  const audit = auditFields(subject, certificate);
  subject.log.info(audit, 'signing certificate');
  // No signature without its line, whatever becomes of this process.
  subject.log.flush();
  const signed = await signCertificate(certificate, key);
  if (!signed.ok) return waitForKey(deps, subject, issuance, signed.error);
  if (!deps.isLeading()) return dropSigned(subject, audit);
  const chain = complete(signed.value.pem);
  const written = await writeCertificate(deps, subject, chain);
  if (written instanceof TerminalError) return applyRefusal(deps, subject, issuance, written);
  sayIssued(deps, subject, { ...audit, sha256: signed.value.sha256 });
  if (deps.writeCaAnnotation && written.metadata.annotations?.[CA] === undefined) {
    await completeAnnotation(deps, subject, chain.topPem);
  }
  return decision;
}

/** The replica that leads now signs for itself, with the same serial. */
function dropSigned({ log }: Subject, audit: Readonly<Record<string, unknown>>): Decision {
  log.info(audit, 'certificate dropped, leadership was lost');
  return { kind: 'ignore' };
}

/** The key has proved bad although it was checked when it was loaded: an alert, and a wait for the Secret. */
function waitForKey(deps: ApplyDeps, subject: Subject, issuance: Issuance, problem: string): Decision {
  const error = new TerminalError(problem, { code: 'invalid' });
  deps.refused(error);
  subject.log.error({ err: error }, 'certificate not usable');
  return applyWait(deps, subject, issuance.unusable(problem));
}

/**
 * The API server takes the certificate for invalid, and does not say which one of the chain. Whether it is the issuer's is asked
 * without a trace: its certificates alone are written on trial. Then the request waits, since no requester can help it.
 */
async function applyRefusal(deps: ApplyDeps, subject: Subject, issuance: Issuance, error: TerminalError) {
  deps.refused(error);
  const { authority } = issuance;
  const refusal = authority && (await tryCertificates(deps, subject.csr, authority.pem));
  if (!refusal) return applyFail(deps, subject, failureFor(subject, error));
  subject.log.error({ err: refusal }, 'certificates of issuer refused');
  return applyWait(deps, subject, authority.reject(rejection(refusal)));
}

/** Without the call and the name of the CSR, for it is said of the issuer too. */
function rejection({ message }: TerminalError): string {
  const [, detail = message] = /status\.certificate: Invalid value: "<certificate data>": (.*)$/s.exec(message) ?? [];
  return `the API server rejects the certificates of the CA, issue new ones: ${detail}`;
}

/** Gives the error when the API server takes the certificates (PEM) for invalid; writes nothing. */
async function tryCertificates(
  deps: ApplyDeps,
  csr: CertificateSigningRequest,
  pem: string,
): Promise<TerminalError | undefined> {
  const { uid, resourceVersion } = csr.metadata;
  const body = { metadata: { uid, resourceVersion }, status: { certificate: Buffer.from(pem).toString('base64') } };
  try {
    await deps.client.mergePatch(`${csrPath(csr, '/status')}&dryRun=All`, body);
    return undefined;
  } catch (error) {
    if (error instanceof TerminalError && error.code === 'invalid') return error;
    throw error;
  }
}

/** The same certificate would always be refused: the CSR must not be signed again at each look. */
function failureFor({ reasons: words }: Subject, { message }: TerminalError): Failure {
  return {
    kind: 'fail',
    reason: words?.signingFailed ?? 'SigningError',
    message: reasons.SigningError.message(message),
  };
}

/** What the audit trail says before and after each signature. */
function auditFields({ csr }: Subject, certificate: Issuance['certificate']): Record<string, unknown> {
  return {
    audit: true,
    serial: certificate.profile.serial.toString('hex'),
    requester: csr.spec.username,
    isCa: certificate.profile.isCa,
    notAfter: certificate.profile.notAfter.toISOString(),
  };
}

/** Gives the CSR as written, or the error when the API server takes the certificate, or the annotation, for invalid. */
async function writeCertificate(
  deps: ApplyDeps,
  subject: Subject,
  chain: Chain,
): Promise<CertificateSigningRequest | TerminalError> {
  const { csr, reasons: words } = subject;
  const annotation = deps.writeCaAnnotation ? { [CA]: encodeCaAnnotation(chain.topPem) } : {};
  const certificate = Buffer.from(chain.chainPem).toString('base64');
  try {
    return await patchStatus(deps, csr, { metadata: { annotations: annotation }, status: { certificate } });
  } catch (error) {
    if (error instanceof TerminalError && error.code === 'invalid') return error;
    if (words !== undefined && isWorthTelling(error) && deps.isLeading()) {
      recordReason(deps, subject, words.updateFailed, reasons.SigningError.update((error as Error).message));
    }
    throw error;
  }
}

function isUnanswered(error: unknown): boolean {
  const { code } = asClassifiedError(error);
  return code === 'network' || code === 'timeout' || code === 'server';
}

/** A conflict is answered by a fresh look at once, and of a CSR that is gone nobody wants news. */
function isWorthTelling(error: unknown): boolean {
  const { code } = asClassifiedError(error);
  return code !== 'conflict' && code !== 'not-found';
}

/** The certificate is out, whatever becomes of the annotation: the CSR comes back as one to repair when this fails. */
async function completeAnnotation(deps: ApplyDeps, subject: Subject, topPem: string): Promise<void> {
  try {
    await writeCaAnnotation(deps, subject, topPem);
  } catch (error) {
    subject.log.warn({ err: error, annotation: CA }, 'annotation not written, it will be repaired');
  }
}

/**
 * Adds the `ca` annotation to a CSR that has its certificate but lacks it: through `/status`, which takes metadata on the
 * servers known so far, else through the object itself (which the chart lets the signer patch only on demand).
 */
export async function writeCaAnnotation(deps: ApplyDeps, { csr, log }: Subject, topPem: string): Promise<void> {
  // The uid makes it conditional: another CSR of the same name gets nothing.
  const body = { metadata: { annotations: { [CA]: encodeCaAnnotation(topPem) }, uid: csr.metadata.uid } };
  const { client, isLeading } = deps;
  const written = await client.mergePatch<CertificateSigningRequest>(csrPath(csr, '/status'), body, isLeading);
  if (written.metadata.annotations?.[CA] === undefined) await client.mergePatch(csrPath(csr), body, isLeading);
  log.info({ annotation: CA }, 'annotation repaired');
}

/**
 * The resourceVersion makes the write conditional: a CSR that has changed since it was observed (another certificate,
 * another annotation) is a conflict, and is decided on anew.
 */
async function patchStatus(
  { client, isLeading, unanswered, overwritten }: ApplyDeps,
  csr: CertificateSigningRequest,
  change: { readonly metadata?: object; readonly status: CsrStatus },
): Promise<CertificateSigningRequest> {
  const { uid, resourceVersion } = csr.metadata;
  const body = { metadata: { ...change.metadata, uid, resourceVersion }, status: change.status };
  try {
    const written = await client.mergePatch<CertificateSigningRequest>(csrPath(csr, '/status'), body, isLeading);
    unanswered.delete(csr.metadata.name);
    overwritten.add(csr);
    return written;
  } catch (error) {
    if (isUnanswered(error)) unanswered.add(csr, change.status);
    throw error;
  }
}

function csrPath(csr: CertificateSigningRequest, subresource = ''): string {
  return `${csrObjectPath(csr.metadata.name)}${subresource}?fieldManager=${FIELD_MANAGER}`;
}
