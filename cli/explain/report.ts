// The explanation as a report for people. Decides nothing. Pure.

import type { CertificateContent, PlannedCertificate } from '../certificate/certificate-content.ts';
import type { NameText } from '../certificate/name-text.ts';
import type { Mark, Row, Section } from '../terminal/report.ts';
import { formatAge } from '../terminal/time-text.ts';
import type { Explanation } from './explanation.ts';

export function toSections(explanation: Explanation, now: Date): readonly Section[] {
  return [
    headSection(explanation, now),
    requestSection(explanation),
    ...differenceSection(explanation),
    checkSection(explanation),
    ...certificateSections(explanation),
    ...historySection(explanation),
    ...outcomeSections(explanation),
  ];
}

/** Leaves out rows without a value. */
export function rows(...all: readonly (Row | undefined)[]): readonly Row[] {
  return all.filter(each => each !== undefined).filter(({ values }) => values.some(value => value !== ''));
}

export function row(label: string, value: string | readonly string[], mark?: Mark): Row {
  return { label, values: [value].flat(), mark };
}

function headSection({ name, source, state, created, requester, signerName }: Explanation, now: Date): Section {
  const age = created === undefined ? '' : `${formatAge(now.getTime() - Date.parse(created))} ago`;
  const { username = '', groups = [] } = requester;
  const who = source.kind === 'file' ? `${username} (you)` : username;
  return {
    title: `CertificateSigningRequest ${name}`,
    rows: rows(
      row('Requester', who || 'unknown'),
      row('Groups', groups.join(', ')),
      row('Created', source.kind === 'file' ? `not yet (${source.path})` : age),
      row('Signer name', signerName),
      row('State', source.kind === 'file' ? 'not created' : state, markOf(state)),
    ),
  };
}

function markOf(state: Explanation['state']): Mark {
  if (state === 'Issued') return 'good';
  return state === 'Denied' || state === 'Failed' ? 'bad' : 'warn';
}

function requestSection({ request, csr }: Explanation): Section {
  const decoded = 'error' in request ? [row('PKCS#10', request.error, 'bad')] : pkcs10Rows(request);
  const own = [
    row('Usages', csr.usages.join(', ') || 'none in spec.usages: digital signature, key encipherment'),
    row('CA', csr.isCa ? 'yes: the holder can sign certificates' : 'no', csr.isCa ? 'warn' : undefined),
    row('Duration', `${csr.duration}, from ${sourceText(csr.durationFrom)}`),
    row('Key Secret', csr.keySecretName ?? ''),
  ];
  return { title: 'Request', rows: rows(...decoded, ...own) };
}

function sourceText(from: Explanation['csr']['durationFrom']): string {
  return from === 'default' ? 'the default' : from === 'annotation' ? 'the annotation request-duration' : from;
}

function pkcs10Rows(request: Exclude<Explanation['request'], { error: string }>): readonly Row[] {
  return [
    row('Subject', request.subject || '(empty)'),
    nameRow(request.names),
    row('Key', `${request.key}, SHA-256 ${request.keySha256}`),
    row('Signature', request.signature, request.signature === 'valid' ? undefined : 'bad'),
  ];
}

function nameRow(names: readonly NameText[]): Row {
  return row('Names', names.length === 0 ? '(no subjectAltName)' : names.map(({ type, value }) => `${type} ${value}`));
}

function differenceSection({ differences }: Explanation): readonly Section[] {
  if (differences.length === 0) return [];
  return [{ title: 'Differences', rows: differences.map(text => row('', text, 'warn')) }];
}

function checkSection(explanation: Explanation): Section {
  const { admission } = explanation;
  return { title: 'Checks', rows: rows(...checkRows(explanation), admission && admissionRow(admission)) };
}

export function checkRows({ issuer, permission }: Pick<Explanation, 'issuer' | 'permission'>): readonly Row[] {
  return rows(issuer && issuerRow(issuer), permission && permissionRow(permission));
}

function issuerRow({ name, state, type, message }: NonNullable<Explanation['issuer']>): Row {
  const what = { Ready: 'is Ready', NotReady: 'is not Ready', missing: 'does not exist', unknown: 'is not known' }[
    state
  ];
  const text = `${name}${type === undefined ? '' : ` (${type})`} ${what}${message === undefined ? '' : `: ${message}`}`;
  return row('Issuer', text, state === 'Ready' ? 'good' : state === 'unknown' ? 'warn' : 'bad');
}

function permissionRow(permission: NonNullable<Explanation['permission']>): Row {
  switch (permission.kind) {
    case 'granted':
      return row('Permission', 'the requester may reference the issuer', 'good');
    case 'missing':
      return row('Permission', 'the requester may not reference the issuer', 'bad');
    case 'unneeded':
      return row('Permission', 'not needed for a ClusterIssuer, unless policy.authorizeClusterIssuers is set', 'good');
    case 'unknown':
      return row('Permission', `cannot be checked: ${permission.why}`, 'warn');
  }
}

function admissionRow(dryRun: NonNullable<Explanation['admission']>): Row {
  if (dryRun.kind === 'refused') return row('Admission', 'the API server refuses the CSR; see below', 'bad');
  const { warnings } = dryRun;
  if (warnings.length === 0) return row('Admission', 'the API server accepts the CSR (dry run)', 'good');
  return row('Admission', ['the API server accepts the CSR (dry run), and warns:', ...warnings], 'warn');
}

const PLANNED = 'Certificate, if it were signed now';

function certificateSections({ certificate }: Explanation): readonly Section[] {
  if (certificate === undefined) return [];
  if ('planned' in certificate) return [{ title: PLANNED, rows: plannedRows(certificate.planned) }];
  const [leaf, ...above] = certificate.issued;
  return leaf === undefined ? [] : [{ title: 'Certificate', rows: issuedRows(leaf, above) }];
}

/** Subject, names and key are copied byte for byte. */
function plannedRows({ usages, isCa, notAfter }: PlannedCertificate): readonly Row[] {
  return rows(
    row('Subject, names, key', 'as in the request'),
    row('Usages', usages.join(', ')),
    row('CA', isCa ? 'yes' : 'no'),
    row('Expires', notAfter),
  );
}

function issuedRows(leaf: CertificateContent, above: readonly CertificateContent[]): readonly Row[] {
  return rows(
    row('Subject', leaf.subject || '(empty)'),
    nameRow(leaf.names),
    row('Issuer', leaf.issuer),
    row('Serial', leaf.serialNumber),
    row('Valid', `${leaf.notBefore} to ${leaf.notAfter}`),
    row('CA', leaf.isCa ? 'yes' : 'no'),
    row(
      'Chain',
      above.map(({ subject }) => subject),
    ),
  );
}

export function historySection({ conditions, events }: Pick<Explanation, 'conditions' | 'events'>): readonly Section[] {
  const seen = 'unknown' in events ? [`not shown: ${events.unknown}`] : events;
  const found = rows(row('Conditions', conditions), row('Events', seen));
  return found.length === 0 ? [] : [{ title: 'History', rows: found }];
}

function outcomeSections({ obstacles, state, source }: Explanation): readonly Section[] {
  if (obstacles.length === 0) return state === 'Issued' ? [] : [nothingFound(source)];
  return obstacleSections(obstacles);
}

export function obstacleSections(obstacles: Explanation['obstacles']): readonly Section[] {
  return obstacles.map(({ what, reason, fix, command }, at) => ({
    title: `${at === 0 ? 'Why it has no certificate' : 'Also'}${reason === undefined ? '' : ` (${reason})`}`,
    text: [what, fix, ...(command === undefined ? [] : ['', command])].join('\n'),
  }));
}

/** The title of the last section of a CSR that can be signed. */
export const NOTHING_FOUND = 'Nothing stands against it';

function nothingFound(source: Explanation['source']): Section {
  const command = source.kind === 'file' ? `kubectl create -f ${source.path}` : '';
  return { title: NOTHING_FOUND, text: `Create it, and have it approved:\n\n${command}` };
}
