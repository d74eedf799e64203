// The webhook as a fastify plugin: one path, one method, JSON of limited size. Translates between HTTP and the
// admission handler, and tells the caller what is wrong with an invalid request. Knows nothing about TLS, connections
// or admission rules.

import type { Logger } from '@countersign/common/runtime/process/log.ts';
import {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import type { AdmissionHandler } from '../handler.ts';
import type { AnswerReason, WebhookMetrics } from '../metrics.ts';
import { ANSWER_SCHEMA } from './answer-schema.ts';
import { acceptBodies, BODY_LIMIT } from './bodies.ts';

/** The path that the API server posts to. */
export const PATH = '/validate';

export interface WebhookAppOptions {
  readonly handle: AdmissionHandler;
  readonly metrics: Pick<WebhookMetrics, 'countUnreadable'>;
  /** Maximum time to receive a body, from the end of the headers. */
  readonly transferTimeoutMs: number;
}

/**
 * The options of the fastify instance that serves the app. Requests log to `log` directly, without a request id;
 * an admission is one log line, to which fastify adds none. fastify itself logs only errors: main logs that the
 * server listens.
 */
export function instanceOptions(log: Logger) {
  const loggerInstance: FastifyBaseLogger = log.child({}, { level: 'error' });
  return {
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: () => log,
    bodyLimit: BODY_LIMIT,
  };
}

/** Answers every request to its fastify instance, which serves nothing else. */
export const webhookApp: FastifyPluginAsync<WebhookAppOptions> = async (app, options) => {
  acceptBodies(app, options.transferTimeoutMs);
  app.post(PATH, { schema: { response: ANSWER_SCHEMA } }, async (request, reply) => {
    const { status, body } = await handOver(request, reply, options.handle);
    return reply.code(status).send(body);
  });
  app.setNotFoundHandler(async (_, reply) => refuse(reply, 404, `POST an AdmissionReview to ${PATH}`));
  answerErrors(app, options);
};

function answerErrors(app: FastifyInstance, { metrics }: WebhookAppOptions): void {
  app.setErrorHandler<FastifyError>(async (error, request, reply) => {
    const status = error.statusCode ?? 500;
    const [reason, text] = reasonOf(status, error);
    metrics.countUnreadable(reason);
    request.log[status < 500 ? 'warn' : 'error']({ err: error, status, from: request.ip }, 'HTTP request refused');
    return refuse(reply, status, text);
  });
}

/**
 * Releases the parsed body before the answer is ready: it may be thirty times the size of its text, and an answer
 * takes seconds when the API server is slow. Not async, because an async function may keep its variables alive until
 * it returns.
 */
function handOver(
  request: FastifyRequest,
  reply: FastifyReply,
  handle: AdmissionHandler,
): ReturnType<AdmissionHandler> {
  const { body } = request;
  request.body = undefined;
  const hangUp = new AbortController();
  reply.raw.once('close', () => hangUp.abort());
  return handle(body, { address: request.ip, signal: hangUp.signal });
}

function refuse(reply: FastifyReply, status: number, error: string): FastifyReply {
  return reply.code(status).send({ error });
}

function reasonOf(status: number, error: Error): readonly [AnswerReason, string] {
  switch (status) {
    case 413:
      return ['TooLarge', `the body is larger than ${BODY_LIMIT} bytes`];
    case 415:
      return ['WrongContentType', 'the content type must be application/json'];
    case 429:
      return ['TooMany', `${error.message}; try again`];
    default:
      if (status < 500) return ['BadRequest', `the body cannot be read: ${error.message}`];
      return ['InternalError', 'internal error'];
  }
}
