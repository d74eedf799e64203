// Parses large bodies one after the other, so that they never hold up small ones for longer than one of them takes. Never reads what
// is in them.

import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyBodyParser } from 'fastify';

/**
 * As `parse`; of bodies of more than `smallLength` characters one at a time, in the order in which they came. After each the event loop
 * is free for as long as it was held: an admission needs several turns of it.
 */
export function parseInTurns(parse: FastifyBodyParser<string>, smallLength: number): FastifyBodyParser<string> {
  let turn: Promise<unknown> = Promise.resolve();
  return (request, body, done) => {
    if (body.length <= smallLength) return void parse(request, body, done);
    turn = turn.then(() => {
      const started = performance.now();
      parse(request, body, done);
      return sleep(performance.now() - started);
    });
  };
}
