// A cluster for the command on the fake API server: objects by path, and a record of what was sent. In-process: the
// command runs as in main.ts, with recorded input and output.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { run } from '@countersign/cli/run.ts';
import { type FakeApiServer, sendJson, startFakeApiServer } from '../../component/runtime/fake-api-server.ts';
import { type Person, type RecordedIo, recordIo } from './recorded-io.ts';

/** An object, a refusal with its code, or the events of a watch that then ends. */
export interface Answer {
  readonly body?: unknown;
  readonly code?: number;
  readonly headers?: Record<string, string>;
  readonly events?: readonly object[];
}

export interface Sent {
  /** `METHOD /path?query`. */
  readonly call: string;
  readonly body: unknown;
  readonly headers: IncomingMessage['headers'];
}

export interface Ran extends RecordedIo {
  readonly code: number;
}

export class FakeCluster {
  readonly #server: FakeApiServer;
  readonly #answers = new Map<string, (sent: Sent) => Answer>();
  readonly sent: Sent[] = [];

  private constructor(server: FakeApiServer) {
    this.#server = server;
    server.handle((request, response, body) => this.#answer(request, response, body));
  }

  static async start(): Promise<FakeCluster> {
    return new FakeCluster(await startFakeApiServer());
  }

  /** `call` is `METHOD /path`, with the query only if it matters. Later answers replace earlier ones. */
  on(call: string, answer: Answer | ((sent: Sent) => Answer)): void {
    this.#answers.set(call, typeof answer === 'function' ? answer : () => answer);
  }

  /** Forgets answers and calls. */
  reset(): void {
    this.#answers.clear();
    this.sent.length = 0;
  }

  async run(args: readonly string[], person: Person = {}): Promise<Ran> {
    const io = recordIo({ ...person, env: { KUBECONFIG: this.#server.kubeconfig(), ...person.env } });
    const code = await run(args, io);
    return { ...io, code };
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  #answer({ method, url = '', headers }: IncomingMessage, response: ServerResponse, text: string): void {
    const call = `${method} ${url}`;
    const sent = { call, body: text === '' ? undefined : JSON.parse(text), headers };
    this.sent.push(sent);
    const find = this.#answers.get(call) ?? this.#answers.get(call.split('?', 1)[0] ?? '');
    const answer = find?.(sent) ?? refusal(404, 'NotFound', 'not found');
    if (answer.events !== undefined) {
      response.end(answer.events.map(event => `${JSON.stringify(event)}\n`).join(''));
      return;
    }
    sendJson(response, answer.code ?? 200, answer.body, answer.headers);
  }
}

export function refusal(code: number, reason: string, message: string): Answer {
  return { code, body: { kind: 'Status', status: 'Failure', code, reason, message } };
}

export const forbidden = (what: string): Answer => refusal(403, 'Forbidden', `User "jane" cannot ${what}`);
