// Logs in to Vault and keeps the tokens, each for nine tenths of its lease and at most ten minutes. A token belongs to
// the exact settings and credentials it was issued for: a changed issuer or Secret never uses it.

import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import { requestToken } from './service-account-token.ts';
import type { VaultAccess, VaultLogin } from './vault-access.ts';
import { asLoginFault, loginFault, type VaultAnswer, VaultFault } from './vault-fault.ts';
import type { VaultCall, VaultServers, VaultTarget } from './vault-servers.ts';

interface Kept {
  readonly token: string;
  /** Milliseconds of the clock. */
  readonly until: number;
}

interface Issued {
  readonly token: string;
  /** Milliseconds; 0 for a token that must not be kept. */
  readonly keepMs: number;
}

export interface GivenToken {
  readonly token: string;
  /** Whether it comes from a login that was made for this call, or is the issuer's own. */
  readonly isFresh: boolean;
}

/** A token may outlive what it was issued for, such as a deleted ServiceAccount, by this time. */
const MAX_KEEP_MS = 600_000;
const PART_OF_LEASE = 0.9;
const MAX_TOKENS = 1_000;

export class VaultTokens {
  readonly #servers: Pick<VaultServers, 'call'>;
  readonly #client: Pick<KubeClient, 'create'>;
  readonly #clock: () => number;
  readonly #kept = new Map<string, Kept>();
  /** Logins in flight: concurrent callers share one. */
  readonly #logins = new Map<string, Promise<string>>();

  constructor(
    servers: Pick<VaultServers, 'call'>,
    client: Pick<KubeClient, 'create'>,
    clock: () => number = () => performance.now(),
  ) {
    this.#servers = servers;
    this.#client = client;
    this.#clock = clock;
  }

  /** Throws a VaultFault, or the client's errors. */
  async get(access: VaultAccess): Promise<GivenToken> {
    if (access.login === undefined) return { token: ownToken(access), isFresh: true };
    const kept = this.#kept.get(access.key);
    if (kept !== undefined && kept.until > this.#clock()) return { token: kept.token, isFresh: false };
    const login = this.#logins.get(access.key) ?? this.#start(access, access.login);
    return { token: await login, isFresh: true };
  }

  /** Forgets a token that Vault no longer accepts, unless there is a newer one. */
  drop({ key }: VaultAccess, token: string): void {
    if (this.#kept.get(key)?.token === token) this.#kept.delete(key);
  }

  #start(access: VaultAccess, login: VaultLogin): Promise<string> {
    const started = this.#logIn(access, login).finally(() => this.#logins.delete(access.key));
    this.#logins.set(access.key, started);
    return started;
  }

  async #logIn(access: VaultAccess, { path, body, account, tls }: VaultLogin): Promise<string> {
    const jwt = account && (await requestToken(this.#client, account));
    const sentAt = this.#clock();
    const sent = { ...body, ...(jwt !== undefined && { jwt }) };
    const answer = await this.#send({ server: access.server, tls }, { path, headers: access.headers, body: sent });
    const { token, keepMs } = readToken(answer, access);
    this.#kept.delete(access.key);
    if (keepMs > 0) this.#kept.set(access.key, { token, until: sentAt + keepMs });
    this.#evict();
    return token;
  }

  async #send(target: VaultTarget, call: Omit<VaultCall, 'method' | 'purpose'>): Promise<VaultAnswer> {
    try {
      return await this.#servers.call(target, { ...call, method: 'POST', purpose: 'login' });
    } catch (error) {
      throw error instanceof VaultFault ? asLoginFault(error) : error;
    }
  }

  #evict(): void {
    for (const [key, { until }] of this.#kept) if (until <= this.#clock()) this.#kept.delete(key);
    for (const key of [...this.#kept.keys()].slice(0, Math.max(0, this.#kept.size - MAX_TOKENS)))
      this.#kept.delete(key);
  }
}

/** Anything else could not be sent in a header. */
function ownToken({ token = '', secret }: VaultAccess): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new VaultFault('access', 'the token in the Secret is empty or has characters that no token has', secret);
}

function readToken(answer: VaultAnswer, { secret }: VaultAccess): Issued {
  if (answer.statusCode !== 200) throw loginFault(answer, secret);
  const auth: unknown = answer.body?.['auth'];
  const { client_token: token, lease_duration: lease, num_uses: uses } = (auth ?? {}) as Record<string, unknown>;
  if (typeof token !== 'string' || token === '') throw new VaultFault('access', 'no token returned', secret);
  // Other callers would use up a token with a limited number of uses; a lease of 0 does not expire.
  const isLimited = typeof uses === 'number' && uses > 0;
  const leaseMs = typeof lease === 'number' && lease > 0 ? lease * 1_000 * PART_OF_LEASE : MAX_KEEP_MS;
  return { token, keepMs: isLimited ? 0 : Math.min(leaseMs, MAX_KEEP_MS) };
}
