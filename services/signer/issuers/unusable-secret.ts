// Makes a request wait if its issuer cannot sign with the content of its Secret. Pure.

import type { IssuerReasons } from '@countersign/common/issuers/issuer-types.ts';
import { reasons } from '@countersign/common/reasons/reasons.ts';
import { formatSecretRef } from '@countersign/common/secret.ts';
import type { ObservedSecret } from '../secret.ts';
import type { Wait } from '../verdict.ts';

/** `reason` depends on the issuer type; `problem` is prose. */
export function waitForUsable(reason: IssuerReasons['unusable'], secret: ObservedSecret, problem: string): Wait {
  return { kind: 'wait', reason, message: reasons[reason].message(formatSecretRef(secret.ref), problem), secret };
}
