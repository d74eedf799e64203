// Warns the approver of a pending CSR for a SelfSigned issuer, in an event, whose key will sign. Reads only what is cached,
// and never decides anything.

import { readPrivateKeySecretName } from '@countersign/common/annotations.ts';
import { issuerType, secretNamespace } from '@countersign/common/issuer.ts';
import { reasons } from '@countersign/common/reasons.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import type { ObserveDeps } from './observe.ts';
import { recordReason, type SayDeps, type Subject } from './say.ts';
import { formatSecretRef } from './secret-reader.ts';

type WarnDeps = SayDeps & Pick<ObserveDeps, 'clusterResourceNamespace' | 'findIssuer'>;

/** Nothing as long as the issuer is not known: the controller comes back to pending CSRs when it is. */
export function warnApprover(deps: WarnDeps, subject: Subject, ref: SignerRef): void {
  const issuer = deps.findIssuer(ref);
  const name = readPrivateKeySecretName(subject.csr);
  if (!name || issuer === undefined || issuerType(issuer) !== 'selfSigned') return;
  const namespace = secretNamespace(ref, deps.clusterResourceNamespace);
  recordReason(deps, subject, 'SelfSignedKey', reasons.SelfSignedKey.message(formatSecretRef({ namespace, name })));
}
