// PodCertificateRequests for people: the explanation of one, and those that wait as a table. Decides nothing. Pure.

import { checkRows, historySection, obstacleSections, row, rows } from '../explain/report.ts';
import type { Mark, Section } from '../terminal/report.ts';
import { safeText } from '../terminal/safe-text.ts';
import { formatTable } from '../terminal/table.ts';
import { formatAge } from '../terminal/time-text.ts';
import type { PodExplanation } from './pod-explanation.ts';

const MARKS: Readonly<Record<PodExplanation['state'], Mark>> = {
  Issued: 'good',
  Pending: 'warn',
  Denied: 'bad',
  Failed: 'bad',
};

export function toPodSections(explanation: PodExplanation, now: Date): readonly Section[] {
  return [
    headSection(explanation, now),
    { title: 'Checks', rows: checkRows(explanation) },
    ...historySection(explanation),
    ...obstacleSections(explanation.obstacles),
  ];
}

function headSection(explanation: PodExplanation, now: Date): Section {
  const { namespace, name, pod, requester, node, state, signerName } = explanation;
  const { maxExpirationSeconds, userAnnotations, notAfter = '' } = explanation;
  return {
    title: `PodCertificateRequest ${namespace}/${name}`,
    rows: rows(
      row('Pod', pod),
      row('Requester', requester),
      row('Node', node),
      row('Created', ageOf(explanation, now)),
      row('Signer name', signerName),
      row('Duration', maxExpirationSeconds === undefined ? '' : `${maxExpirationSeconds} s at most`),
      row(
        'Annotations',
        Object.entries(userAnnotations).map(([key, value]) => `${key}: ${value}`),
      ),
      row('State', state, MARKS[state]),
      row('Expires', notAfter),
    ),
  };
}

function ageOf({ created }: PodExplanation, now: Date): string {
  return created === undefined ? '' : `${formatAge(now.getTime() - Date.parse(created))} ago`;
}

const HEADER = ['NAMESPACE', 'POD', 'AGE', 'SERVICE ACCOUNT', 'SIGNER NAME', 'WAITS FOR'];

export function formatPendingPods(pods: readonly PodExplanation[], now: Date): string {
  const cells = pods.map(each => [
    each.namespace,
    each.pod,
    ageOf(each, now).replace(/ ago$/, ''),
    each.requester.split(':').at(-1) ?? '',
    each.signerName,
    each.obstacles[0]?.reason ?? 'signer',
  ]);
  return formatTable(
    HEADER,
    cells.map(line => line.map(cell => safeText(cell, 80) || '-')),
  );
}
