// How large a body may be, and in which turn it is parsed: large ones one after the other, so that they never hold up small ones for
// longer than one of them takes. Knows nothing of what is in them.

import { setTimeout as sleep } from 'node:timers/promises';
import { createError } from '@fastify/error';
import type { FastifyBodyParser, FastifyInstance } from 'fastify';
import { BodyGate } from './body-gate.ts';

/**
 * More than the largest review of a CSR that can be signed. Annotations are at most 256 KiB (TotalAnnotationSizeLimitB); a byte of them
 * is at most 6.7 bytes of JSON: keys of three letters without a value, once more in managedFields, or `<`, which Go escapes. That is
 * 1.75 MB, and a request of 36 500 bytes in base64, more of which is never signed, another 50 kB. An UPDATE carries two such objects,
 * 3.6 MB. An object that is larger by its labels or owner references has a request that nobody signs for it.
 */
export const BODY_LIMIT = 4 * 1024 * 1024;

const BODY_LIMITS = {
  bytes: BODY_LIMIT,
  /** Callers that only announce large bodies keep out large ones, and no CSR of a common size. */
  totalBytes: 4 * BODY_LIMIT,
  /** A CSR with the largest request that is read (36 kB), and annotations of a common size. */
  smallBytes: 65_536,
};

const TooManyBodies = createError('COUNTERSIGN_TOO_MANY_BODIES', 'too many bodies are under way', 429);

/** Admits JSON within the limits, each body within the time. */
export function acceptBodies(app: FastifyInstance, timeoutMs: number): void {
  const gate = new BodyGate({ ...BODY_LIMITS, timeoutMs });
  app.addHook('onRequest', async ({ raw }, reply) => {
    if (gate.admit(raw, reply.raw)) return;
    // The API server asks again when it is told when, within the timeout of the webhook (client-go). The body is not waited for, and
    // dropped as it comes: an end of the connection while the API server writes would take the answer along.
    reply.header('retry-after', '1');
    throw new TooManyBodies();
  });
  app.removeContentTypeParser(['text/plain', 'application/json']);
  // An extra of the requester may be called __proto__, and is asked about under its name: the decoders take own properties only, and
  // set none by assignment (decode-json.ts).
  const parse = app.getDefaultJsonParser('ignore', 'ignore') as FastifyBodyParser<string>;
  app.addContentTypeParser('application/json', { parseAs: 'string' }, parseInTurns(parse, gate));
}

/**
 * Of large bodies one at a time, in the order in which they came. After each the event loop is free for as long as it was held: an
 * admission needs several turns of it.
 */
function parseInTurns(parse: FastifyBodyParser<string>, gate: BodyGate): FastifyBodyParser<string> {
  let turn: Promise<unknown> = Promise.resolve();
  const take: FastifyBodyParser<string> = (request, body, done) => {
    void parse(request, body, done);
    gate.release(request.raw);
  };
  return (request, body, done) => {
    if (body.length <= BODY_LIMITS.smallBytes) return take(request, body, done);
    turn = turn.then(() => {
      const started = performance.now();
      take(request, body, done);
      return sleep(performance.now() - started);
    });
  };
}
