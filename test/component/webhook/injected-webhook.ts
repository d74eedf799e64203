// The webhook without TLS and sockets: requests are injected into its app. For the tests in this folder.

import type { AdmissionHandler } from '@countersign/webhook/handler.ts';
import { instanceOptions, webhookApp } from '@countersign/webhook/serving/app.ts';
import { type FastifyInstance, fastify } from 'fastify';
import { type HttpAnswer, WebhookFixture } from './webhook-fixture.ts';

export class InjectedWebhook extends WebhookFixture {
  readonly app: FastifyInstance = fastify(instanceOptions(this.log));

  /** `handle` replaces the webhook's own handler. */
  constructor(handle?: AdmissionHandler) {
    super();
    const { metrics } = this;
    void this.app.register(webhookApp, { handle: handle ?? this.handle, metrics, transferTimeoutMs: 1_000 });
  }

  override async post(body: unknown, headers: Record<string, string> = {}, url = '/validate'): Promise<HttpAnswer> {
    const response = await this.app.inject({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json', ...headers },
      payload: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    });
    return { status: response.statusCode, body: response.json() };
  }

  override async stop(): Promise<void> {
    await this.agent.close();
    await this.app.close();
  }
}
