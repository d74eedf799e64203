// The events on an issuer about its trust bundle: what an administrator should fix or know. Decides nothing about
// the bundle.

import { type Reason, reasons } from '@countersign/common/reasons/reasons.ts';
import type { EventSubject, EventText } from '@countersign/common/runtime/controller/event-object.ts';
import type { EventRecorder } from '@countersign/common/runtime/controller/event-recorder.ts';
import { asClassifiedError } from '@countersign/common/runtime/errors.ts';
import type { CaAnchors } from './anchors.ts';
import { type DesiredBundle, MAX_BUNDLE_SIZE } from './desired-bundle.ts';

/** All other errors pass: they are conflicts, or faults of the API server. */
const SOMEBODY_MUST_ACT: ReadonlySet<string> = new Set(['forbidden', 'invalid', 'bad-request', 'too-large']);

export function bundleEvents(found: CaAnchors | undefined, desired: DesiredBundle | undefined): readonly EventText[] {
  return [
    ...(found === undefined ? [] : anchorEvents(found)),
    ...(desired === undefined ? [] : retirementEvents(desired)),
  ];
}

function anchorEvents({ anchors, isRootUnknown }: CaAnchors): readonly EventText[] {
  if (anchors.length === 0) return [notPublished('no certificate of the CA has the CA flag')];
  return isRootUnknown ? [toEvent('TrustAnchorNotRoot', reasons.TrustAnchorNotRoot.message())] : [];
}

function retirementEvents({ expired, leftOut }: DesiredBundle): readonly EventText[] {
  const tooMany = `${leftOut} retired CA certificates do not fit into ${MAX_BUNDLE_SIZE} bytes`;
  return [
    ...(leftOut > 0 ? [notPublished(tooMany)] : []),
    ...(expired.length > 0 ? [toEvent('OldCaExpired', reasons.OldCaExpired.message(expired))] : []),
  ];
}

export function failureEvents(error: unknown): readonly EventText[] {
  const { code, message } = asClassifiedError(error);
  return SOMEBODY_MUST_ACT.has(code) ? [notPublished(message)] : [];
}

export function recordAll(
  events: Pick<EventRecorder, 'record'>,
  subject: EventSubject,
  texts: readonly EventText[],
): void {
  for (const text of texts) events.record(subject, text);
}

function notPublished(problem: string): EventText {
  return toEvent('TrustBundleNotPublished', reasons.TrustBundleNotPublished.message(problem));
}

function toEvent(reason: Reason, message: string): EventText {
  return { type: reasons[reason].eventType, reason, message };
}
