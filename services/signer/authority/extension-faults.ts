// Finds extension values that Go's certificate parser rejects, for each extension that it parses (RFC 5280 section
// 4.2). Values that Go ignores may be anything. Pure; error texts are Go's where Go has one.

import type { Result } from '@countersign/common/result.ts';
import {
  contextTag,
  decodeOid,
  decodeUnsigned,
  isInt64,
  readChildren,
  readWhole,
  TAG,
  type Tlv,
} from '@countersign/common/x509/der.ts';
import type { Extension } from '@countersign/common/x509/extension.ts';
import { parseBasicConstraints, parseKeyUsage } from '@countersign/common/x509/extension-values.ts';
import { readConstraints } from '@countersign/common/x509/name-constraints/name-constraints.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';
import { readGeneralNames } from '@countersign/common/x509/subject-alt-name.ts';

/** Extensions that must not be critical (RFC 5280 sections 4.2.1.1, 4.2.1.2, 4.2.2.1), with Go's names. */
const NEVER_CRITICAL: ReadonlyMap<string, string> = new Map([
  [EXTENSION.authorityKeyIdentifier, 'authority key identifier'],
  [EXTENSION.subjectKeyIdentifier, 'subject key identifier'],
  [EXTENSION.authorityInfoAccess, 'authority info access'],
]);

type FindFault = (value: Buffer) => string | undefined;
type IsForm = (element: Tlv) => boolean;

const FINDERS: ReadonlyMap<string, FindFault> = new Map<string, FindFault>([
  [EXTENSION.keyUsage, value => (parseKeyUsage(value).ok ? undefined : 'x509: invalid key usage')],
  [EXTENSION.basicConstraints, findConstraintsFault],
  [EXTENSION.subjectAltName, value => errorOf(readGeneralNames(value))],
  [EXTENSION.nameConstraints, value => errorOf(readConstraints(value))],
  [EXTENSION.crlDistributionPoints, faultUnless(isSequenceOf(isPoint), 'x509: invalid CRL distribution point')],
  [EXTENSION.authorityKeyIdentifier, faultUnless(isSequenceOf(isAny), 'x509: invalid authority key identifier')],
  [EXTENSION.policyConstraints, faultUnless(isPolicyConstraints, 'x509: invalid policy constraints extension')],
  [EXTENSION.extKeyUsage, faultUnless(isSequenceOf(isOid), 'x509: invalid extended key usages')],
  [EXTENSION.subjectKeyIdentifier, faultUnless(hasTag(TAG.octetString), 'x509: invalid subject key identifier')],
  [EXTENSION.certificatePolicies, findPoliciesFault],
  [EXTENSION.policyMappings, faultUnless(isSequenceOf(isMapping), 'x509: invalid policy mappings extension')],
  [EXTENSION.inhibitAnyPolicy, faultUnless(isInteger, 'x509: invalid inhibit any policy extension')],
  [EXTENSION.authorityInfoAccess, faultUnless(isSequenceOf(isAccess), 'x509: invalid authority info access')],
]);

/** Returns undefined for values that Go accepts or ignores. */
export function findExtensionFault({ oid, critical, value }: Extension): string | undefined {
  const name = NEVER_CRITICAL.get(oid);
  if (critical && name !== undefined) return `x509: ${name} incorrectly marked critical`;
  return FINDERS.get(oid)?.(value);
}

function faultUnless(isForm: IsForm, fault: string): FindFault {
  return value => {
    const whole = readWhole(value);
    return whole.ok && isForm(whole.value) ? undefined : fault;
  };
}

function errorOf(result: Result<unknown>): string | undefined {
  return result.ok ? undefined : result.error;
}

function isAny(): boolean {
  return true;
}

function hasTag(tag: number): IsForm {
  return element => element.tag === tag;
}

function isSequenceOf(isForm: IsForm): IsForm {
  return element => childrenOf(element, TAG.sequence)?.every(isForm) === true;
}

function childrenOf(element: Tlv | undefined, tag: number): readonly Tlv[] | undefined {
  const children = element?.tag === tag ? readChildren(element) : undefined;
  return children?.ok ? children.value : undefined;
}

function isOid({ tag, value }: Tlv): boolean {
  return tag === TAG.oid && decodeOid(value).ok;
}

function isInteger({ tag, value }: Tlv): boolean {
  return tag === TAG.integer && isInt64(value);
}

function findConstraintsFault(value: Buffer): string | undefined {
  const whole = readWhole(value);
  const children = whole.ok ? childrenOf(whole.value, TAG.sequence) : undefined;
  const pathLength = children?.find(({ tag }) => tag === TAG.integer)?.value;
  const isLength = pathLength === undefined || (isInt64(pathLength) && decodeUnsigned(pathLength).ok);
  return isLength && parseBasicConstraints(value).ok ? undefined : 'x509: invalid basic constraints';
}

/**
 * Go parses a distribution point by its fullName, if that comes first, and no other kind of name (RFC 5280
 * section 4.2.1.13).
 */
function isPoint(element: Tlv): boolean {
  const outer = contextTag(0, 'constructed');
  const fields = childrenOf(element, TAG.sequence);
  if (fields?.[0]?.tag !== outer) return fields !== undefined;
  const [fullName] = childrenOf(fields[0], outer) ?? [];
  return childrenOf(fullName, outer) !== undefined;
}

/** requireExplicitPolicy [0], then inhibitPolicyMapping [1], both optional. */
function isPolicyConstraints(element: Tlv): boolean {
  const fields = childrenOf(element, TAG.sequence);
  const isInOrder = fields?.map(({ tag }) => tag - contextTag(0, 'primitive')).join('');
  return ['', '0', '1', '01'].includes(isInOrder ?? 'none') && fields?.every(({ value }) => isInt64(value)) === true;
}

function findPoliciesFault(value: Buffer): string | undefined {
  const whole = readWhole(value);
  const policies = whole.ok ? childrenOf(whole.value, TAG.sequence) : undefined;
  const oids = policies?.map(policy => childrenOf(policy, TAG.sequence)?.[0]);
  const areOids = oids?.every(oid => oid?.tag === TAG.oid && isMinimalOid(oid.value)) === true;
  const unique = new Set(oids?.map(oid => oid?.value.toString('latin1')));
  if (!areOids) return 'x509: invalid certificate policies';
  return unique.size === oids?.length ? undefined : 'x509: invalid certificate policies: duplicate policy';
}

/** Arcs may be of any size here. */
function isMinimalOid(value: Buffer): boolean {
  const starts = value.every((octet, at) => octet !== 0x80 || (value[at - 1] ?? 0) >= 0x80);
  return starts && (value.at(-1) ?? 0x80) < 0x80;
}

function isMapping(element: Tlv): boolean {
  const [issuer, subject] = childrenOf(element, TAG.sequence) ?? [];
  return issuer?.tag === TAG.oid && subject?.tag === TAG.oid;
}

function isAccess(element: Tlv): boolean {
  const [method] = childrenOf(element, TAG.sequence) ?? [];
  return method !== undefined && isOid(method);
}
