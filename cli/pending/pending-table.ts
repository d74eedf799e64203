// The CSRs that wait as a table. Pure.

import { parseSignerName } from '@countersign/common/signer-name.ts';
import { safeText } from '../terminal/safe-text.ts';
import { formatTable } from '../terminal/table.ts';
import { formatAge } from '../terminal/time-text.ts';
import type { OpenRequest } from './open-requests.ts';

const HEADER = ['NAME', 'AGE', 'REQUESTER', 'ISSUER', 'WAITS FOR', 'SUBJECT', 'NAMES'];
const WIDE_HEADER = [...HEADER, 'KEY', 'USAGES', 'DURATION'];

/** Enough to recognise a name; `explain` shows all of it. */
const MAX_CELL = 48;

/** Names shown in one cell. */
const MAX_NAMES = 3;

export function formatPending(requests: readonly OpenRequest[], isWide: boolean, now: Date): string {
  const rows = requests.map(request => (isWide ? wideRow(request, now) : narrowRow(request, now)));
  return formatTable(
    isWide ? WIDE_HEADER : HEADER,
    rows.map(row => row.map(cell => safeText(cell, MAX_CELL) || '-')),
  );
}

function narrowRow({ name, created, requester, signerName, waitsFor, request, csr }: OpenRequest, now: Date): string[] {
  const subject = 'error' in request ? 'unreadable' : request.subject;
  const age = created === undefined ? '' : formatAge(now.getTime() - Date.parse(created));
  return [
    name,
    age,
    requester,
    issuerText(signerName),
    waitsFor,
    `${csr.isCa ? '(CA) ' : ''}${subject}`,
    namesText(request),
  ];
}

function wideRow(open: OpenRequest, now: Date): string[] {
  const { request, csr } = open;
  return [...narrowRow(open, now), 'error' in request ? '' : request.key, csr.usages.join(', '), csr.duration];
}

/** `sandbox/my-ca`, and the name alone for a ClusterIssuer. */
function issuerText(signerName: string): string {
  const signer = parseSignerName(signerName);
  if (!signer.ok) return signerName;
  return signer.value.kind === 'Issuer' ? `${signer.value.namespace}/${signer.value.name}` : signer.value.name;
}

function namesText(request: OpenRequest['request']): string {
  if ('error' in request) return '';
  const shown = request.names.slice(0, MAX_NAMES).map(({ value }) => value);
  const more = request.names.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` +${more}` : ''}`;
}
