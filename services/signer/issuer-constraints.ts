// Looks up the name constraints of one issuer's CA for the webhook. Best effort: without them the webhook admits more, and the signer
// decides by what it reads itself.

import type { Issuer } from '@countersign/common/issuer.ts';
import type { Logger } from '@countersign/common/runtime/log.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import type { ConstraintPublisher } from './constraint-publisher.ts';
import { findHandler, type IssuerDeps, type IssuerTypeHandler } from './issuers/issuer-type.ts';

export interface IssuerConstraintsDeps extends IssuerDeps {
  /** Absent where nothing is published. */
  readonly constraints?: Pick<ConstraintPublisher, 'set'> | undefined;
  readonly log: Logger;
  readonly findIssuer: (ref: SignerRef) => Issuer | undefined;
  readonly handlers: readonly IssuerTypeHandler[];
  readonly isLeading: () => boolean;
}

/** Never rejects: what could not be read stays as it was. */
export async function noteConstraints(deps: IssuerConstraintsDeps, ref: SignerRef): Promise<void> {
  const { constraints, log, handlers } = deps;
  if (constraints === undefined || !deps.isLeading()) return;
  const issuer = deps.findIssuer(ref);
  const handler = findHandler(handlers, issuer);
  if (issuer === undefined || handler === undefined) return constraints.set(ref, undefined, []);
  try {
    const { constrained = [] } = await handler.readiness(deps, ref, issuer);
    constraints.set(ref, issuer.metadata.uid, constrained);
  } catch (error) {
    log.debug({ err: error }, 'name constraints not looked up');
  }
}
