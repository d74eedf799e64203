// What is known about jane's CSR, for tests of its explanation.

import type { Csr, CsrEvent } from '@countersign/cli/cluster/csr.ts';
import type { Facts } from '@countersign/cli/explain/facts.ts';
import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import { APPROVED_AT, buildCsr, type CsrOrder } from '../csr-builder.ts';

export const NOW = new Date(Date.parse(APPROVED_AT) + 60_000);

export function readyIssuer(spec: Issuer['spec'] = { ca: { secretName: 'my-ca' } }): Issuer {
  return {
    metadata: { name: 'my-ca' },
    spec,
    status: { conditions: [{ type: 'Ready', status: 'True', reason: 'KeyPairVerified' }] },
  };
}

/** A pending CSR whose issuer is Ready and whose requester may use it, unless `known` says otherwise. */
export function factsOf(order: CsrOrder = {}, known: Partial<Facts> = {}): Facts {
  const csr: Csr = buildCsr({ conditions: [], ...order });
  return {
    csr,
    source: { kind: 'cluster' },
    requester: { username: 'jane', groups: ['system:authenticated'] },
    issuer: { known: true, value: readyIssuer() },
    permission: { kind: 'granted' },
    events: { known: true, value: [] },
    dryRun: undefined,
    now: NOW,
    ...known,
  };
}

/** `seconds` after the approval. */
export function warningEvent(reason: string, message: string, seconds = 1): CsrEvent {
  const lastTimestamp = new Date(Date.parse(APPROVED_AT) + seconds * 1_000).toISOString();
  return { type: 'Warning', reason, message, lastTimestamp };
}
