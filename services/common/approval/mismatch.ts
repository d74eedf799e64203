// One thing in a request that a policy does not allow, as users see it. Pure.

import { shorten } from '../short-text.ts';

/** What kind of rule it is: closed, and stable for those who count mismatches. */
export type MismatchRule =
  /** The policy does not mention it, or no policy can allow it. */
  | 'not-allowed'
  | 'required'
  | 'values'
  | 'validation'
  | 'constraint'
  | 'rule'
  /** The signer could not sign the request. */
  | 'request';

export interface Mismatch {
  /** Path in the policy, such as `spec.allowed.dnsNames.values`. */
  readonly field: string;
  /** What the request has; empty if it has nothing there. */
  readonly value: string;
  /** What the policy wants instead. */
  readonly wanted: string;
  readonly rule: MismatchRule;
}

/** Characters of a field, which may end with an OID of the requester's, of a value, and of what is wanted. */
const MAX_SHOWN = 200;

export function mismatch(rule: MismatchRule, field: string, value: string, wanted: string): Mismatch {
  return {
    field: shorten(field, MAX_SHOWN),
    value: shorten(value, MAX_SHOWN),
    wanted: shorten(wanted, MAX_SHOWN),
    rule,
  };
}

/** For example `spec.allowed.dnsNames.values: "a.example" is not allowed, wanted: *.team.example`. */
export function formatMismatch({ field, value, wanted, rule }: Mismatch): string {
  switch (rule) {
    case 'required':
      return `${field}: missing, wanted: ${wanted}`;
    case 'rule':
    case 'request':
      return `${field}: ${wanted}`;
    default:
      return `${field}: "${value}" is not allowed, wanted: ${wanted}`;
  }
}
