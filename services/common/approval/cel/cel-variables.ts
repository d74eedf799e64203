// The variables of CEL expressions: `self`, the value at hand; `cr`, as in approver-policy; `request`, the whole
// request. Pure.

import type { CelInput } from '@bufbuild/cel';
import type { JudgedRequest } from '../request/judged-request.ts';
import type { CelVariables } from './cel-program.ts';

/** For validations, with which all their expressions are tried out. */
export const VALIDATION_SAMPLE: CelVariables = {
  self: 'a.example.com',
  cr: sampleMap('name', 'namespace', 'username'),
};

/** For rules. */
export const RULE_SAMPLE: CelVariables = {
  request: new Map<string, CelInput>([
    ...sampleMap('name', 'signerName', 'username', 'namespace', 'serviceAccount'),
    ...sampleLists('groups', 'commonNames', 'dnsNames', 'ipAddresses', 'uris', 'emailAddresses', 'usages'),
    ['subject', new Map<string, CelInput>()],
    ['otherNames', new Map<string, CelInput>()],
    ['isCA', false],
    ['durationSeconds', 3_600n],
    ['privateKey', new Map<string, CelInput>([...sampleMap('algorithm'), ['size', 2_048n]])],
  ]),
};

function sampleMap(...names: readonly string[]): Map<string, CelInput> {
  return new Map(names.map(name => [name, 'a']));
}

function sampleLists(...names: readonly string[]): Map<string, CelInput> {
  return new Map(names.map(name => [name, []]));
}

/**
 * CSRs have no namespace: `namespace` is that of the requester's ServiceAccount. For other requesters it is absent, so
 * that an expression that uses it is not true, instead of comparing with an empty text.
 */
export function crOf({ name, requester, account }: JudgedRequest): Map<string, CelInput> {
  return new Map<string, CelInput>([
    ['name', name],
    ['username', requester.username ?? ''],
    ...(account === undefined ? [] : ([['namespace', account.namespace]] as const)),
  ]);
}

/** Every list has all values; there is no single `commonName`, because a request may have several. */
export function requestOf(request: JudgedRequest): Map<string, CelInput> {
  const { signerName, requester, account, byField, usages, isCa, lifetimeMs, key } = request;
  const list = (field: string) => [...(byField.get(field) ?? [])];
  return new Map<string, CelInput>([
    ...crOf(request),
    ['signerName', signerName],
    ...(account === undefined ? [] : ([['serviceAccount', account.name]] as const)),
    ['groups', [...(requester.groups ?? [])]],
    ['commonNames', list('commonName')],
    ...['dnsNames', 'ipAddresses', 'uris', 'emailAddresses'].map(field => [field, list(field)] as const),
    ['subject', listsBelow(byField, /^subject\.(?:otherAttributes\[(.*)\]|(.*))$/)],
    ['otherNames', listsBelow(byField, /^otherNames\[(.*)\]$/)],
    ['usages', [...usages]],
    ['isCA', isCa],
    ['durationSeconds', BigInt(Math.floor(lifetimeMs / 1_000))],
    ['privateKey', keyMap(key)],
  ]);
}

/** The fields that match, by the part in parentheses. */
function listsBelow(byField: JudgedRequest['byField'], pattern: RegExp): Map<string, CelInput> {
  return new Map(
    [...byField].flatMap(([field, values]) => {
      const [, first, second] = pattern.exec(field) ?? [];
      const name = first ?? second;
      return name === undefined ? [] : [[name, [...values]] as const];
    }),
  );
}

function keyMap(key: JudgedRequest['key']): Map<string, CelInput> {
  return new Map<string, CelInput>([
    ...(key === undefined ? [] : ([['algorithm', key.algorithm]] as const)),
    ...(key?.size === undefined ? [] : ([['size', BigInt(key.size)]] as const)),
  ]);
}
