// The Kubernetes Event (core/v1) that says one thing about one object, under a name that is derived from what is said, so that
// it can be said once only. Writes nothing.

import { hash } from 'node:crypto';
import type { ObjectMeta } from '../../csr.ts';

/** The object that an event is about (core/v1 ObjectReference). */
export interface EventSubject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

export interface EventText {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** Tells one occasion from the next where the same thing may be said again, such as a condition's transition time. */
  readonly occasion?: string;
}

export interface EventObject {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly reason: string;
}

/** The event source component, one for all issuer types. */
export const EVENT_COMPONENT = 'countersign-signer';

/** Cluster-scoped objects have no namespace; their events go here, as those of client-go's recorder do. */
const DEFAULT_NAMESPACE = 'default';

/** What events.k8s.io/v1 allows a note, and enough here: the condition has the whole text. */
const MAX_MESSAGE_LENGTH = 1_024;

function eventName(subject: EventSubject, text: EventText): string {
  const said = [subject.metadata.uid, text.reason, text.message, text.occasion ?? ''].join('\0');
  return `${toSubdomain(subject.metadata.name)}.${hash('sha256', said, 'hex').slice(0, 16)}`;
}

/** An event's name is a DNS subdomain of at most 253 characters (RFC 1123), while a CSR's may hold almost anything. */
function toSubdomain(name: string): string {
  const labels = name
    .slice(0, 200)
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .split('.');
  const trimmed = labels.map(label => label.replace(/^-|-$/g, '')).filter(label => label !== '');
  return trimmed.join('.') || 'event';
}

/** The same thing said again has the same name, and is "already exists" (409), also for a signer that was restarted. */
export function toEvent(subject: EventSubject, text: EventText): EventObject & Record<string, unknown> {
  const { metadata } = subject;
  const name = eventName(subject, text);
  const now = new Date().toISOString();
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace: metadata.namespace ?? DEFAULT_NAMESPACE },
    involvedObject: {
      apiVersion: subject.apiVersion,
      kind: subject.kind,
      name: metadata.name,
      namespace: metadata.namespace,
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
    },
    type: text.type,
    reason: text.reason,
    message: text.message.slice(0, MAX_MESSAGE_LENGTH),
    source: { component: EVENT_COMPONENT },
    reportingComponent: EVENT_COMPONENT,
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
  };
}
