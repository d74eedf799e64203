// Something between a CSR and its certificate: what it is, how to remove it, and the command that helps. Pure.

import { isReason, reasons } from '@countersign/common/reasons/reasons.ts';
import { shellQuote } from '@countersign/common/reference-permission.ts';

export interface Obstacle {
  /** A reason of docs/reasons.md, if there is one. */
  readonly reason?: string;
  readonly what: string;
  readonly fix: string;
  readonly command?: string;
  /** Whether the CSR can no longer be signed, or would fail if it were approved now. */
  readonly isFinal: boolean;
}

/** What docs/reasons.md recommends, without its Markdown. */
export function actionFor(reason: string): string | undefined {
  return isReason(reason) ? reasons[reason].doc.action.replaceAll('`', '') : undefined;
}

/** As the user types it. */
export function pluginCommand(...words: readonly string[]): string {
  return ['kubectl', 'countersign', ...words.map(shellQuote)].join(' ');
}
