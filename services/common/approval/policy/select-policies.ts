// Whether a policy is for a request: its signer name, and its requester. Pure.

import type { Requester } from '../../csr.ts';
import { hasExternalForm } from '../../issuers/external-types.ts';
import { parseSignerName } from '../../signer-name.ts';
import type { Asked } from '../request/judged-request.ts';
import { formatServiceAccount } from '../request/service-account.ts';
import type { CompiledPolicy, Selection } from './compiled-policy.ts';

/**
 * Tests policies for one request, whose signer name is parsed once. A policy whose selection is invalid may have been
 * meant for any request, and selects all.
 */
export function selectorFor({ signerName, requester }: Asked): (policy: CompiledPolicy) => boolean {
  const selectsSigner = signerSelector(signerName);
  return ({ selection }) =>
    selection === undefined || (selectsSigner(selection) && selectsRequester(selection, requester));
}

/** Tests whether a policy can approve requests for the signer, of some requester. */
export function approverSelector(signerName: string): (policy: CompiledPolicy) => boolean {
  const selectsSigner = signerSelector(signerName);
  return ({ mode, isGuard, selection }) =>
    mode === 'Enforce' && !isGuard && selection !== undefined && selectsSigner(selection);
}

/** Only issuers are ever selected, whatever the policy says. */
function signerSelector(signerName: string): (selection: Selection) => boolean {
  const signer = parseSignerName(signerName);
  if (!signer.ok) {
    const isExternal = hasExternalForm(signerName);
    return ({ signerNames }) => isExternal && signerNames.has(signerName);
  }
  const { kind, namespace } = signer.value;
  return ({ signerNames, namespaces }) =>
    signerNames.has(signerName) || (kind === 'Issuer' && namespaces.has(namespace));
}

function selectsRequester({ users, groups, accounts }: Selection, { username, groups: own = [] }: Requester): boolean {
  if (username === undefined || username === '') return false;
  return (
    users.has(username) ||
    own.some(group => groups.has(group)) ||
    accounts.some(account => formatServiceAccount(account) === username)
  );
}
