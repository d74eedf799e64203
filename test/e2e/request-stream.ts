// Creates CSRs twenty times a second, by users who may use the issuer, by users who may not, and for a signer that is not ours,
// and counts what is not as it must be. It decides what is wrong, never why.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Api, ApiAnswer, Refusal } from '../support/api.ts';
import { CSRS, csrManifest } from '../support/requests.ts';

export interface Tally {
  readonly sent: number;
  /** Unpermitted requests that were let in, and requests that were refused with a decision that is not theirs. */
  readonly wrong: readonly string[];
  /** Permitted requests, and those of other signers, that got no decision: the webhook or the API server did not answer. */
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

  /** Starts at once. `senders` take turns. */
  constructor(api: Api, senders: readonly Sender[]) {
    this.#api = api;
    this.#senders = senders;
    this.#running = this.#run();
  }

  /** Waits for the answers that are due. */
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
      // By the clock, so that a late tick is made up for.
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
  if (status === 201) return isPermitted ? {} : { wrong: 'let in' };
  const isDecision = status === 403;
  // Without an answer the API server refuses as well (failurePolicy Fail), which is no wrong answer to who may not.
  if (!isPermitted) return isDecision && body.reason !== 'DeniedReference' ? { wrong: body.message } : {};
  return isDecision ? { wrong: body.message } : { error: `${status} ${body.message}` };
}
