// Finds why a CSR has no certificate, in the order in which the signer checks: decision, signer name, shape,
// permission, approval, issuer, events. Pure.

import type { FieldError } from '@countersign/common/field-error.ts';
import { hasExternalForm } from '@countersign/common/issuers/external-types.ts';
import { issuerType } from '@countersign/common/issuers/issuer.ts';
import { issuerTypes } from '@countersign/common/issuers/issuer-types.ts';
import { reasons } from '@countersign/common/reasons/reasons.ts';
import { grantCommands } from '@countersign/common/reference-permission.ts';
import { PERMISSIVE_POLICY } from '@countersign/common/request-policy.ts';
import type { RequestedCertificate } from '@countersign/common/requested-certificate.ts';
import { validateDuration } from '@countersign/common/requested-duration.ts';
import { err, ok, type Result } from '@countersign/common/result.ts';
import { parseSignerName, type SignerRef } from '@countersign/common/signer-name.ts';
import { toRequestedCertificate, validateName } from '@countersign/common/validate-request.ts';
import { conditionOf, conditionText, stateOf } from './csr-state.ts';
import type { Facts } from './facts.ts';
import { issuerObstacles } from './issuer-obstacles.ts';
import { actionFor, type Obstacle } from './obstacle.ts';
import { waitingObstacles } from './waiting-obstacles.ts';

/** Who records events about CSRs that Countersign signs. */
const SIGNER = 'countersign-signer';

/** Empty if nothing stands between the CSR and its certificate, or if it has one. */
export function findObstacles(facts: Facts): readonly Obstacle[] {
  switch (stateOf(facts.csr)) {
    case 'Issued':
      return [];
    case 'Denied':
      return [deniedObstacle(facts)];
    case 'Failed':
      return [failedObstacle(facts)];
    case 'Approved':
    case 'Pending':
      return openObstacles(facts);
  }
}

function deniedObstacle({ csr }: Facts): Obstacle {
  const condition = conditionOf(csr, 'Denied');
  const why = condition === undefined ? '' : conditionText(condition);
  return {
    what: `an approver denied the CSR${why === '' ? '' : `: ${why}`}`,
    fix: 'This is final. Correct what the approver names, and create a new CSR.',
    isFinal: true,
  };
}

function failedObstacle({ csr }: Facts): Obstacle {
  const { reason = '', message = '' } = conditionOf(csr, 'Failed') ?? {};
  return {
    ...(reason !== '' && { reason }),
    what: message || 'the signer failed the CSR without a message',
    fix: `This is final. ${actionFor(reason) ?? 'Correct what the message names, and create a new CSR.'}`,
    isFinal: true,
  };
}

function openObstacles(facts: Facts): readonly Obstacle[] {
  const { csr } = facts;
  const signer = parseSignerName(csr.spec.signerName);
  const isForeign = !signer.ok && signer.error.kind === 'foreign';
  if (isForeign && !hasExternalForm(csr.spec.signerName)) return [foreignObstacle(facts)];
  const shape = judgeShape(facts);
  const rules = shape.ok ? [] : shape.error.filter(error => !isInRefusal(facts, error)).map(ruleObstacle);
  const permission = signer.ok ? permissionObstacles(facts, signer.value) : [];
  const issuer = signer.ok && facts.issuer?.known ? issuerObstacles(signer.value, facts.issuer.value) : [];
  const external = isForeign ? externalObstacles(facts) : [];
  return waitingObstacles(facts, [...refusalObstacles(facts), ...rules, ...permission, ...issuer, ...external]);
}

function foreignObstacle({ csr }: Facts): Obstacle {
  return {
    what: `the signer name ${csr.spec.signerName} belongs to another signer, not to Countersign`,
    fix: 'Ask the operator of that signer. Countersign signs issuers.cert-manager.io/<namespace>.<name> and clusterissuers.cert-manager.io/<name>.',
    isFinal: false,
  };
}

/** The list of types, the permission and the issuer are not known here; an event of the signer shows that it signs. */
function externalObstacles({ csr, events }: Facts): readonly Obstacle[] {
  const isOurs = events.known && events.value.some(({ source }) => source?.component === SIGNER);
  if (isOurs) return [];
  const type = csr.spec.signerName.split('/')[0];
  return [
    {
      what: `the issuer is external: whether Countersign signs for ${type}, and whether the issuer exists, is not known here`,
      fix: 'An administrator sees the types in the chart value delegation.externalIssuers. If this type is not listed, ask the operator of its signer.',
      isFinal: false,
    },
  ];
}

/**
 * What the webhook checks in addition to the permission. Settings of the operator beyond cert-manager's rules are not
 * known here.
 */
export function judgeShape({ csr, issuer }: Facts): Result<RequestedCertificate | undefined, readonly FieldError[]> {
  const type = issuer?.known && issuer.value !== undefined ? issuerType(issuer.value) : undefined;
  if (type !== undefined && !issuerTypes[type].signedHere) {
    const errors = validateDuration(csr, PERMISSIVE_POLICY);
    return errors.length > 0 ? err(errors) : ok(undefined);
  }
  const requested = toRequestedCertificate(csr, PERMISSIVE_POLICY, { type });
  const errors = [...validateName(csr), ...(requested.ok ? [] : requested.error)];
  return errors.length > 0 ? err(errors) : requested;
}

function ruleObstacle({ reason, field, message, remedy }: FieldError): Obstacle {
  const fix = remedy ?? actionFor(reason) ?? 'Create a new CSR.';
  return { reason, what: `${field}: ${message}`, fix, isFinal: true };
}

/** The dry run knows more rules than this command: policies, limits, name constraints. */
function refusalObstacles({ dryRun }: Facts): readonly Obstacle[] {
  if (dryRun?.kind !== 'refused') return [];
  const fix = dryRun.byAdmission
    ? 'Correct what the message names.'
    : 'Ask an administrator for the permission, or correct the manifest.';
  return [{ what: `the API server refuses the CSR: ${dryRun.message}`, fix, isFinal: true }];
}

function isInRefusal({ dryRun }: Facts, { message }: FieldError): boolean {
  return dryRun?.kind === 'refused' && dryRun.message.includes(message);
}

function permissionObstacles({ permission, requester, dryRun }: Facts, ref: SignerRef): readonly Obstacle[] {
  // The refusal of the webhook has the same role and binding.
  const isSaid = dryRun?.kind === 'refused' && dryRun.message.includes('DeniedReference');
  if (permission?.kind !== 'missing' || isSaid) return [];
  const username = requester.username ?? '';
  return [
    {
      reason: 'DeniedReference',
      what: `${reasons.DeniedReference.message(ref)}: ${username} lacks the verb reference`,
      fix: 'Have an administrator grant it with these commands. Until then an approval makes the CSR fail.',
      command: grantCommands(ref, username),
      isFinal: true,
    },
  ];
}
