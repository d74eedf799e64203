// Warns the approver of a pending CSR for a SelfSigned issuer, in an event, whose key will sign. Reads only what is cached,
// and never decides anything.

import { readPrivateKeySecretName } from '@countersign/common/annotations.ts';
import { issuerType, secretNamespace } from '@countersign/common/issuer.ts';
import { reasons } from '@countersign/common/reasons.ts';
import { parseSignerName } from '@countersign/common/signer-name.ts';
import type { ObserveDeps } from './observe.ts';
import { recordReason, type SayDeps, type Subject } from './say.ts';
import { formatSecretRef } from './secret-reader.ts';

type WarnDeps = SayDeps & Pick<ObserveDeps, 'clusterResourceNamespace' | 'findIssuer'>;

export function warnApprover(deps: WarnDeps, subject: Subject): void {
  const signer = parseSignerName(subject.csr.spec.signerName);
  const issuer = signer.ok ? deps.findIssuer(signer.value) : undefined;
  const name = readPrivateKeySecretName(subject.csr);
  if (!signer.ok || !name || issuer === undefined || issuerType(issuer) !== 'selfSigned') return;
  const namespace = secretNamespace(signer.value, deps.clusterResourceNamespace);
  recordReason(deps, subject, 'SelfSignedKey', reasons.SelfSignedKey.message(formatSecretRef({ namespace, name })));
}
