// An external issuer as the pipeline sees it. Its object is never read: the controller of its type says in the
// CertificateRequest whether it exists and is ready. Pure.

import type { ExternalRef } from '../signer-name.ts';
import type { Issuer } from './issuer.ts';

/** As if it existed and were ready. */
export function describeExternal({ namespace, name }: ExternalRef): Issuer {
  return {
    metadata: { name, ...(namespace !== '' && { namespace }) },
    spec: { external: {} },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  };
}
