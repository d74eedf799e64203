// Whether a Vault issuer is Ready, as cert-manager's Setup finds it: the login succeeds, and the server is initialized
// and unsealed. A bounded number of checks runs at once; an issuer that failed is checked again after its rest.

import { setTimeout as sleep } from 'node:timers/promises';
import { vaultPath } from '@countersign/common/issuers/vault-path.ts';
import { reasons } from '@countersign/common/reasons/reasons.ts';
import { asRetryableError, RetryableError } from '@countersign/common/runtime/errors.ts';
import type { ObservedSecret } from '../../secret.ts';
import type { Readiness } from '../issuer-type.ts';
import { type AccessScope, readAccess, type VaultAccess } from './vault-access.ts';
import { isHealthy, VaultFault, wordsOf } from './vault-fault.ts';
import type { VaultSession } from './vault-signer.ts';

/** Fewer than the workers of the issuers' queue, so that others are never without one. */
const MAX_CHECKS = 6;
const SLOT_WITHIN_MS = 1_000;
const POLL_MS = 20;

const UNHEALTHY: ReadonlyMap<number, string> = new Map([
  [501, 'Vault is not initialized'],
  [503, 'Vault is sealed'],
]);

export class VaultReadiness {
  readonly #session: VaultSession;
  #checks = 0;

  constructor(session: VaultSession) {
    this.#session = session;
  }

  /** For a spec without fault. Throws RetryableError if the API server fails, or too many checks run. */
  async find(scope: AccessScope): Promise<Readiness> {
    const { rest } = this.#session;
    const { uid = '' } = scope.issuer.metadata;
    let access: VaultAccess | undefined;
    try {
      access = await readAccess(this.#session, scope);
      const { key } = access;
      const resting = rest.find(uid, key)?.fault;
      if (resting !== undefined && resting.kind !== 'denied') throw resting;
      await this.#check(uid, access);
      return VERIFIED;
    } catch (error) {
      if (!(error instanceof VaultFault)) throw asRetryableError(error);
      const recheckAfterMs = access && rest.find(uid, access.key)?.forMs;
      return { ...notReady(describe(error), error.secret), ...(recheckAfterMs !== undefined && { recheckAfterMs }) };
    }
  }

  async #check(uid: string, access: VaultAccess): Promise<void> {
    await this.#slot();
    this.#checks += 1;
    try {
      await this.#session.rest.check(uid, access.key, () => verify(this.#session, access));
    } finally {
      this.#checks -= 1;
    }
  }

  async #slot(): Promise<void> {
    const deadline = performance.now() + SLOT_WITHIN_MS;
    while (this.#checks >= MAX_CHECKS) {
      if (performance.now() > deadline)
        throw new RetryableError('too many checks of Vault servers', { code: 'throttled' });
      await sleep(POLL_MS);
    }
  }
}

async function verify({ servers, tokens }: VaultSession, access: VaultAccess): Promise<void> {
  await tokens.get(access);
  const path = vaultPath(access.server, 'v1/sys/health');
  // Namespaces do not have it.
  const answer = await servers.call(access, { method: 'GET', path, purpose: 'health' });
  if (isHealthy(answer)) return;
  const problem = UNHEALTHY.get(answer.statusCode) ?? `error calling Vault /v1/sys/health: ${wordsOf(answer)}`;
  throw new VaultFault('unavailable', problem);
}

const VERIFIED: Readiness = {
  condition: { status: 'True', reason: 'VaultVerified', message: reasons.VaultVerified.message() },
  events: [],
};

function describe({ kind, message }: VaultFault): string {
  if (kind === 'unavailable') return reasons.VaultError.health(message);
  return reasons.VaultError.client(kind === 'missing' ? `Secret ${message} not found` : message);
}

/** As cert-manager, reports the failure in an event as well. */
export function notReady(problem: string, secret?: ObservedSecret): Readiness {
  return {
    condition: { status: 'False', reason: 'VaultError', message: problem },
    events: [{ type: 'Warning', reason: 'ErrInitIssuer', message: reasons.ErrInitIssuer.message(problem) }],
    ...(secret && { secret }),
  };
}
