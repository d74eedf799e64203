// Has one certificate signed by Vault: reads the credentials, logs in if no token is kept, and sends the request; a
// kept token that Vault no longer accepts is replaced once. Every failure becomes a reason of the request.

import { signPath } from '@countersign/common/issuers/vault-path.ts';
import { reasons } from '@countersign/common/reasons/reasons.ts';
import type { RequestedCertificate } from '@countersign/common/requested-certificate.ts';
import { asRetryableError } from '@countersign/common/runtime/errors.ts';
import type { RemoteAnswer } from '../issuer-type.ts';
import type { IssuerRest } from './issuer-rest.ts';
import type { SecretDeps } from './secret-values.ts';
import { type AccessScope, readAccess, type VaultAccess } from './vault-access.ts';
import { signFault, type VaultAnswer, VaultFault } from './vault-fault.ts';
import type { VaultServers } from './vault-servers.ts';
import { readChain, signBody } from './vault-signature.ts';
import type { VaultTokens } from './vault-tokens.ts';

export interface VaultSession extends SecretDeps {
  readonly servers: Pick<VaultServers, 'call'>;
  readonly tokens: Pick<VaultTokens, 'get' | 'drop'>;
  readonly rest: Pick<IssuerRest, 'find' | 'sign' | 'check'>;
}

export interface SignOrder {
  readonly requested: RequestedCertificate;
  /** Whether the chain includes a root. */
  readonly rootInChain: boolean;
  readonly signal: AbortSignal;
}

/** When nothing else says how long to wait. */
const REPEAT_AFTER_MS = 5_000;
/** So that the requests of an issuer do not all return at once. */
const SPREAD = 0.25;

/** Throws RetryableError if the Kubernetes API server fails. */
export async function signWithVault(
  session: VaultSession,
  scope: AccessScope,
  order: SignOrder,
): Promise<RemoteAnswer> {
  const { uid = '' } = scope.issuer.metadata;
  const path = signPath(scope.issuer.spec.vault ?? {});
  let key = '';
  try {
    const access = await readAccess(session, scope);
    key = access.key;
    const resting = session.rest.find(uid, key);
    if (resting !== undefined) return toAnswer(resting.fault ?? silent(), path, resting.forMs);
    return await session.rest.sign(uid, key, () => request(session, { access, path, order }));
  } catch (error) {
    if (!(error instanceof VaultFault)) throw asRetryableError(error);
    return toAnswer(error, path, session.rest.find(uid, key)?.forMs ?? REPEAT_AFTER_MS);
  }
}

function silent(): VaultFault {
  return new VaultFault('unavailable', 'the Vault server has not answered earlier requests yet');
}

interface Sending {
  readonly access: VaultAccess;
  readonly path: string;
  readonly order: SignOrder;
}

async function request(session: VaultSession, sending: Sending): Promise<RemoteAnswer> {
  const { access, order } = sending;
  const answer = await sendWithToken(session, sending);
  if (answer.statusCode !== 200) throw signFault(answer, access.secret);
  const chain = readChain(answer.body?.['data'], order.rootInChain);
  if (!chain.ok) throw new VaultFault('unavailable', chain.error);
  return { kind: 'issued', ...chain.value };
}

async function sendWithToken(session: VaultSession, sending: Sending): Promise<VaultAnswer> {
  const { tokens } = session;
  const given = await tokens.get(sending.access);
  const answer = await send(session, sending, given.token);
  if (answer.statusCode !== 403) return answer;
  tokens.drop(sending.access, given.token);
  if (given.isFresh) return answer;
  // The token was revoked, or has lost its policy.
  return send(session, sending, (await tokens.get(sending.access)).token);
}

function send({ servers }: VaultSession, { access, path, order }: Sending, token: string): Promise<VaultAnswer> {
  const headers = { ...access.headers, 'x-vault-token': token };
  const { requested, signal } = order;
  return servers.call(access, { purpose: 'sign', method: 'POST', path, headers, body: signBody(requested), signal });
}

function toAnswer(fault: VaultFault, path: string, forMs: number): RemoteAnswer {
  const { kind, message, secret } = fault;
  const waits = { kind: 'wait', ...(secret && { secret }) } as const;
  const requeueAfterMs = Math.round(forMs * (1 + Math.random() * SPREAD));
  switch (kind) {
    case 'missing':
      return { ...waits, reason: 'SecretNotFound', message: reasons.SecretNotFound.vault(message) };
    case 'access':
      return { ...waits, reason: 'ErrorVaultInit', message: reasons.ErrorVaultInit.message(message), requeueAfterMs };
    case 'unavailable':
      return {
        ...waits,
        reason: 'VaultUnavailable',
        message: reasons.VaultUnavailable.message(message),
        requeueAfterMs,
      };
    case 'denied':
      return { ...waits, reason: 'VaultDenied', message: reasons.VaultDenied.message(path, message), requeueAfterMs };
    case 'refused':
      return { kind: 'fail', reason: 'ErrorSigning', message: reasons.ErrorSigning.vault(message) };
  }
}
