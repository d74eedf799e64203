// Compiles which requests a policy is for: signer names and subjects. Only issuers can be selected, never the signers
// of the cluster. Pure.

import { hasExternalForm } from '../../issuers/external-types.ts';
import { isNamespaceName } from '../../object-name.ts';
import { parseSignerName } from '../../signer-name.ts';
import type { ApprovalPolicySpec, PolicySubject } from './approval-policy.ts';
import type { Selection } from './compiled-policy.ts';
import type { Compiled, PolicyMistake } from './policy-mistake.ts';

const ALL_OF_NAMESPACE = /^issuers\.cert-manager\.io\/([^.]*)\.\*$/;

export function compileSelection({ signerNames = [], subjects = [] }: ApprovalPolicySpec): Compiled<Selection> {
  const of = (kind: PolicySubject['kind']) => subjects.filter(subject => subject.kind === kind);
  const namespaces = signerNames.flatMap(name => ALL_OF_NAMESPACE.exec(name)?.[1] ?? []);
  const value = {
    signerNames: new Set(signerNames),
    namespaces: new Set(namespaces),
    users: new Set(of('User').map(({ name }) => name)),
    groups: new Set(of('Group').map(({ name }) => name)),
    accounts: of('ServiceAccount').map(({ namespace = '', name }) => ({ namespace, name })),
  };
  const mistakes = [
    ...requireSome(signerNames, 'spec.signerNames', 'name at least one signer'),
    ...signerNames.flatMap((name, at) => signerNameMistakes(name, `spec.signerNames[${at}]`)),
    ...requireSome(subjects, 'spec.subjects', 'name at least one user, group or ServiceAccount'),
    ...subjects.flatMap((subject, at) => subjectMistakes(subject, `spec.subjects[${at}]`)),
  ];
  return { value, mistakes };
}

function requireSome(list: readonly unknown[], field: string, message: string): readonly PolicyMistake[] {
  return list.length > 0 ? [] : [{ field, message }];
}

function signerNameMistakes(name: string, field: string): readonly PolicyMistake[] {
  const [, namespace] = ALL_OF_NAMESPACE.exec(name) ?? [];
  const isValid = namespace === undefined ? isSelectable(name) : isNamespaceName(namespace);
  if (isValid) return [];
  const forms =
    'issuers.cert-manager.io/<namespace>.<name>, issuers.cert-manager.io/<namespace>.*, clusterissuers.cert-manager.io/<name>, or the whole name of an external issuer';
  return [{ field, message: `"${name}" is not the signer name of an issuer: use ${forms}` }];
}

/** External types are not known here: the approver and the webhook evaluate requests of listed types only. */
function isSelectable(name: string): boolean {
  return parseSignerName(name).ok || hasExternalForm(name);
}

function subjectMistakes({ kind, name, namespace }: PolicySubject, field: string): readonly PolicyMistake[] {
  if (!['User', 'Group', 'ServiceAccount'].includes(kind)) {
    return [{ field: `${field}.kind`, message: `"${kind}" is not User, Group or ServiceAccount` }];
  }
  const isAccount = kind === 'ServiceAccount';
  return [
    ...(name ? [] : [{ field: `${field}.name`, message: 'must not be empty' }]),
    ...(isAccount && !namespace
      ? [{ field: `${field}.namespace`, message: 'a ServiceAccount needs a namespace' }]
      : []),
    ...(!isAccount && namespace
      ? [{ field: `${field}.namespace`, message: 'only a ServiceAccount has a namespace' }]
      : []),
  ];
}
