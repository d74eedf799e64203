// Builds a Kubernetes Event (core/v1) about an object, under a name derived from its content so that it can be created
// only once. Writes nothing.

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
  /** Distinguishes occasions if the same event can recur, such as the transition time of a condition. */
  readonly occasion?: string;
  /** Who reports it; the signer unless given. */
  readonly component?: string;
}

export interface EventObject {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly reason: string;
}

/** The event source component, one for all issuer types. */
export const EVENT_COMPONENT = 'countersign-signer';

/** Events of cluster-scoped objects are created here, as by client-go's recorder. */
const DEFAULT_NAMESPACE = 'default';

/** The limit of a note in events.k8s.io/v1; the condition has the whole text. */
const MAX_MESSAGE_LENGTH = 1_024;

function eventName(subject: EventSubject, text: EventText): string {
  const content = [subject.metadata.uid, text.reason, text.message, text.occasion ?? ''].join('\0');
  return `${toSubdomain(subject.metadata.name)}.${hash('sha256', content, 'hex').slice(0, 16)}`;
}

/**
 * The name of an event is a DNS subdomain of at most 253 characters (RFC 1123); that of a CSR may contain
 * almost anything.
 */
function toSubdomain(name: string): string {
  const labels = name
    .slice(0, 200)
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .split('.');
  const trimmed = labels.map(label => label.replace(/^-|-$/g, '')).filter(label => label !== '');
  return trimmed.join('.') || 'event';
}

/** A repeated event has the same name and fails with "already exists" (409), also after a restart of the signer. */
export function toEvent(subject: EventSubject, text: EventText): EventObject & Record<string, unknown> {
  const { metadata } = subject;
  const name = eventName(subject, text);
  const now = new Date().toISOString();
  const component = text.component ?? EVENT_COMPONENT;
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
    source: { component },
    reportingComponent: component,
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
  };
}
