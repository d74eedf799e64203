// Whether a policy is for a request: its signer name, and its requester. Pure.

import type { Requester } from '../../csr.ts';
import { hasExternalForm } from '../../issuers/external-types.ts';
import { parseSignerName } from '../../signer-name.ts';
import type { Asked } from '../request/judged-request.ts';
import { formatServiceAccount } from '../request/service-account.ts';
import type { CompiledPolicy, Selection } from './compiled-policy.ts';

/** A policy whose selection is invalid may have been meant for any request, and selects all. */
export function isSelected({ selection }: CompiledPolicy, { signerName, requester }: Asked): boolean {
  return selection === undefined || (selectsSigner(selection, signerName) && selectsRequester(selection, requester));
}

/** Whether the policy can approve requests for the signer, of some requester. */
export function namesSigner({ mode, isGuard, selection }: CompiledPolicy, signerName: string): boolean {
  return mode === 'Enforce' && !isGuard && selection !== undefined && selectsSigner(selection, signerName);
}

/** Only issuers are ever selected, whatever the policy says. */
export function selectsSigner({ signerNames, namespaces }: Selection, signerName: string): boolean {
  const signer = parseSignerName(signerName);
  if (!signer.ok) return hasExternalForm(signerName) && signerNames.has(signerName);
  const { kind, namespace } = signer.value;
  return signerNames.has(signerName) || (kind === 'Issuer' && namespaces.has(namespace));
}

function selectsRequester({ users, groups, accounts }: Selection, { username, groups: own = [] }: Requester): boolean {
  if (username === undefined || username === '') return false;
  return (
    users.has(username) ||
    own.some(group => groups.has(group)) ||
    accounts.some(account => formatServiceAccount(account) === username)
  );
}
