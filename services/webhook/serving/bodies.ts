// Limits the size of request bodies, and parses large ones one at a time, so that small ones wait for at most one large
// body. Knows nothing about their content.

import { setTimeout as sleep } from 'node:timers/promises';
import { createError } from '@fastify/error';
import type { FastifyBodyParser, FastifyInstance } from 'fastify';
import { BodyGate } from './body-gate.ts';

/**
 * More than the largest review of a CSR that can be signed. Annotations are at most 256 KiB
 * (TotalAnnotationSizeLimitB), and each byte becomes at most 6.7 bytes of JSON: keys of three letters without a value,
 * repeated in managedFields, or `<`, which Go escapes. That is 1.75 MB. A request of 36 500 bytes, the most that is
 * ever signed, adds 50 kB in base64. An UPDATE carries two such objects, 3.6 MB. Objects that are even larger, because
 * of labels or owner references, are not supported.
 */
export const BODY_LIMIT = 4 * 1024 * 1024;

const BODY_LIMITS = {
  bytes: BODY_LIMIT,
  /**
   * Callers that announce large bodies without sending them block only other large bodies, and no CSR of a common size.
   */
  totalBytes: 4 * BODY_LIMIT,
  /** Fits a CSR with the largest supported request (36 kB) and annotations of a common size. */
  smallBytes: 65_536,
};

const TooManyBodies = createError('COUNTERSIGN_TOO_MANY_BODIES', 'too many large request bodies are in flight', 429);

/** Accepts JSON within the limits; each body must arrive within the timeout. */
export function acceptBodies(app: FastifyInstance, timeoutMs: number): void {
  const gate = new BodyGate({ ...BODY_LIMITS, timeoutMs });
  app.addHook('onRequest', async ({ raw }, reply) => {
    if (gate.admit(raw, reply.raw)) return;
    // With Retry-After, the API server retries within the webhook timeout (client-go). The body is not awaited but
    // discarded as it arrives: closing the connection while the API server still writes would lose the response.
    reply.header('retry-after', '1');
    throw new TooManyBodies();
  });
  app.removeContentTypeParser(['text/plain', 'application/json']);
  // A requester's extra may have the key __proto__, which the access review must include: the decoders read only own
  // properties, and set none by assignment (decode-json.ts).
  const parse = app.getDefaultJsonParser('ignore', 'ignore') as FastifyBodyParser<string>;
  app.addContentTypeParser('application/json', { parseAs: 'string' }, parseInTurns(parse, gate));
}

/**
 * Parses large bodies one at a time, in order of arrival. After each, the event loop is left free for as long as
 * parsing blocked it, since an admission needs several turns of the loop.
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
