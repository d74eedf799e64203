// Text for the condition of a PodCertificateRequest. kubelet copies it into events by Go's %q, and in places uses it as
// a format: a double quote, a backslash, a percent sign or a line break would garble it. Pure.

import { shorten } from '../short-text.ts';

/** Characters: the message must fit into an event (1024) together with kubelet's text. */
const MAX_TEXT = 700;

/** Characters of a value that are repeated: it may be something pasted by mistake. */
const MAX_VALUE = 80;

export function toKubeletText(text: string): string {
  return replaceUnsafe(text).slice(0, MAX_TEXT);
}

/** A value in single quotes, shortened. */
export function quoteForKubelet(value: string): string {
  return `'${replaceUnsafe(shorten(value, MAX_VALUE).replace('…', '...'))}'`;
}

function replaceUnsafe(text: string): string {
  return text.replaceAll('"', "'").replace(/[^ -~]|[%\\]/gu, '?');
}
