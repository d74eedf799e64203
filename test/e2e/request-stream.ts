// Creates twenty CSRs per second, from users who may use the issuer, users who may not, and for another signer, and
// counts wrong decisions.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Api, ApiAnswer, Refusal } from '../support/api.ts';
import { CSRS, csrManifest } from '../support/requests.ts';

export interface Tally {
  readonly sent: number;
  /** Forbidden requests that were admitted, and permitted ones that were denied. */
  readonly wrong: readonly string[];
  /**
   * Permitted requests, and those for other signers, that got no decision because the webhook or the API server did
   * not respond.
   */
  readonly errors: readonly string[];
  readonly slowestMs: number;
}

interface Sender {
  readonly user: string;
  readonly signerName: string;
  readonly isPermitted: boolean;
}

const INTERVAL_MS = 50;

export class RequestStream {
  readonly #api: Api;
  readonly #senders: readonly Sender[];
  readonly #wrong: string[] = [];
  readonly #errors: string[] = [];
  readonly #underWay = new Set<Promise<void>>();
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;
  #sent = 0;
  #slowestMs = 0;

  /** Starts immediately. `senders` take turns. */
  constructor(api: Api, senders: readonly Sender[]) {
    this.#api = api;
    this.#senders = senders;
    this.#running = this.#run();
  }

  /** Waits for outstanding responses. */
  async stop(): Promise<Tally> {
    this.#stopped.abort();
    await this.#running;
    await Promise.all(this.#underWay);
    return { sent: this.#sent, wrong: this.#wrong, errors: this.#errors, slowestMs: Math.round(this.#slowestMs) };
  }

  async #run(): Promise<void> {
    const start = performance.now();
    while (!this.#stopped.signal.aborted) {
      const sender = this.#senders[this.#sent % this.#senders.length];
      this.#sent++;
      if (sender !== undefined) this.#track(this.#send(sender));
      // Follows the clock, so that a late tick is made up for.
      await sleep(Math.max(0, start + this.#sent * INTERVAL_MS - performance.now()));
    }
  }

  #track(call: Promise<void>): void {
    this.#underWay.add(call);
    void call.finally(() => this.#underWay.delete(call));
  }

  async #send(sender: Sender): Promise<void> {
    const start = performance.now();
    const { user, signerName } = sender;
    const { metadata: _, ...manifest } = csrManifest({ name: '', signerName });
    const body = { ...manifest, metadata: { generateName: 'stream-' } };
    const said: Judgement = await this.#api.call<Refusal>({ method: 'POST', path: CSRS, body, as: { user } }).then(
      answer => judge(sender, answer),
      (error: unknown) => ({ error: String(error) }),
    );
    this.#slowestMs = Math.max(this.#slowestMs, performance.now() - start);
    const who = `${new Date().toISOString()} ${user}, ${signerName}`;
    if (said.wrong !== undefined) this.#wrong.push(`${who}: ${said.wrong}`);
    if (said.error !== undefined) this.#errors.push(`${who}: ${said.error}`);
  }
}

interface Judgement {
  readonly wrong?: string;
  readonly error?: string;
}

function judge({ isPermitted }: Sender, { status, body }: ApiAnswer<Refusal>): Judgement {
  if (status === 201) return isPermitted ? {} : { wrong: 'admitted' };
  const isDecision = status === 403;
  // Without a response from the webhook the API server refuses as well (failurePolicy Fail), which is correct for
  // forbidden requests.
  if (!isPermitted) return isDecision && body.reason !== 'DeniedReference' ? { wrong: body.message } : {};
  return isDecision ? { wrong: body.message } : { error: `${status} ${body.message}` };
}
