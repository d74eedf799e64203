// The webhook's HTTPS server with a constant response: the lower bound for the cost of an admission. Reads only the
// uid, which the response must contain.

import { readFileSync } from 'node:fs';
import { createLogger } from '@countersign/common/runtime/process/log.ts';
import { createRegistry } from '@countersign/common/runtime/process/metrics.ts';
import { type AdmissionRequest, allow } from '@countersign/webhook/admission-review.ts';
import { WebhookMetrics } from '@countersign/webhook/metrics.ts';
import { WebhookServer } from '@countersign/webhook/serving/server.ts';

const [port, certFile = '', keyFile = ''] = process.argv.slice(2);
const server = new WebhookServer({
  handle: async body => {
    const { request } = body as { readonly request: AdmissionRequest };
    return { status: 200, body: allow(request) };
  },
  log: createLogger({ service: 'constant', level: 'error' }),
  metrics: new WebhookMetrics(createRegistry()),
});
server.useKeyPair({ cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') });
await server.listen({ host: '127.0.0.1', port: Number(port) });
process.once('SIGTERM', () => void server.close());
