// The complete controller with an in-memory cluster, for the tests in this folder.

import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import { soleLeadership } from '@countersign/common/runtime/controller/leadership.ts';
import { createRegistry } from '@countersign/common/runtime/process/metrics.ts';
import type { WatchEvent } from '@countersign/common/runtime/reflector/watch-stream.ts';
import type { Secret } from '@countersign/common/secret.ts';
import { Controller } from '@countersign/signer/controllers/controller.ts';
import type { ControllerOptions } from '@countersign/signer/controllers/controller-options.ts';
import { AS_CERT_MANAGER } from '@countersign/signer/issuance/issuance-policy.ts';
import { createCaIssuer } from '@countersign/signer/issuers/ca.ts';
import { SignerMetrics } from '@countersign/signer/metrics.ts';
import { CSR_KIND } from '@countersign/signer/requests/csr/csr-kind.ts';
import { SecretReader } from '@countersign/signer/secret-reader.ts';
import { buildIssuer, buildSecret, rootTexts } from '../../support/ca-builder.ts';
import { type Answer, type RecordedCall, RecordingClient } from '../../support/recording-client.ts';
import { TEST_LOG } from '../../support/test-log.ts';
import { until } from '../../support/until.ts';

export const CSRS = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
export const SECRET = '/api/v1/namespaces/sandbox/secrets/my-ca';

/** Lists the given objects, and sends pushed events to the watch of a resource. */
export class ClusterClient extends RecordingClient {
  readonly lists: Record<string, readonly unknown[]> = {
    certificatesigningrequests: [],
    issuers: [],
    clusterissuers: [],
  };
  secret: Secret | undefined = buildSecret(rootTexts());
  /** The second page of the CSRs, if there is one. */
  rest: Promise<readonly unknown[]> | undefined;
  readonly #pushed = new Map<string, (event: WatchEvent) => void>();

  constructor() {
    super();
    this.answer = call => this.#read(call);
  }

  override async *watch(path: string, signal: AbortSignal): AsyncIterable<WatchEvent> {
    const events: WatchEvent[] = [];
    let wake = () => {};
    this.#pushed.set(resourceOf(path), event => {
      events.push(event);
      wake();
    });
    signal.addEventListener('abort', () => wake(), { once: true });
    while (!signal.aborted) {
      yield* events.splice(0);
      if (events.length === 0) await new Promise<void>(resolve => (wake = resolve));
    }
  }

  push(
    resource: string,
    type: WatchEvent['type'],
    object: { readonly metadata: object },
    resourceVersion: string,
  ): void {
    this.#pushed.get(resource)?.({ type, object: { ...object, metadata: { ...object.metadata, resourceVersion } } });
  }

  /** From now on calls `answer` before the in-memory cluster. */
  answerFirst(answer: Answer): void {
    const next = this.answer;
    this.answer = call => answer(call) ?? next(call);
  }

  count(part: string): number {
    return this.calls.filter(({ path }) => path.startsWith(part)).length;
  }

  #read({ verb, path }: RecordedCall): unknown {
    if (path === SECRET) return this.secret;
    if (path.includes('subjectaccessreviews')) return { status: { allowed: true } };
    const items = this.lists[resourceOf(path)];
    if (verb !== 'get' || items === undefined) return undefined;
    const metadata = { resourceVersion: '100' };
    if (path.includes('continue=')) return this.rest?.then(rest => ({ metadata, items: rest }));
    const isCut = this.rest !== undefined && path.startsWith(CSRS);
    return { metadata: { ...metadata, ...(isCut && { continue: 'more' }) }, items };
  }
}

function resourceOf(path: string): string {
  return path.split('?', 1)[0]?.split('/').at(-1) ?? '';
}

export interface Setup {
  readonly csrs?: readonly CertificateSigningRequest[];
  readonly secret?: Secret | undefined;
  readonly issuer?: Issuer;
  readonly leads?: boolean;
  readonly rest?: Promise<readonly CertificateSigningRequest[]>;
  readonly options?: Partial<ControllerOptions>;
  /** Called before the in-memory cluster; undefined: not answered. */
  readonly answer?: Answer;
}

/** A signer that does not set Ready conditions unless the options say so. */
export function createController(
  client: RecordingClient,
  {
    registry = createRegistry(),
    log = TEST_LOG,
    ...options
  }: Partial<ControllerOptions> & { readonly registry?: ReturnType<typeof createRegistry> } = {},
): Controller {
  return new Controller({
    client,
    log,
    metrics: new SignerMetrics(registry),
    secrets: new SecretReader(client),
    settings: {
      handlers: [createCaIssuer()],
      clusterResourceNamespace: 'countersign',
      policy: AS_CERT_MANAGER,
      writeCaAnnotation: true,
    },
    kinds: [CSR_KIND],
    workers: 2,
    issuerStatus: 'never',
    ...options,
  });
}

/** Resolves when everything is listed and most reconciles are done. */
export async function start(
  t: TestContext,
  { csrs = [], issuer = buildIssuer(), leads = true, rest, options, answer, ...given }: Setup,
) {
  const client = new ClusterClient();
  client.lists['certificatesigningrequests'] = csrs;
  client.lists['issuers'] = [issuer];
  if ('secret' in given) client.secret = given.secret;
  client.rest = rest;
  if (answer !== undefined) client.answerFirst(answer);
  const running = run(t, client, { leads, ...options });
  await until(() => running.controller.problems().length === (rest ? 1 : 0));
  await sleep(20);
  return { client, ...running };
}

/** Runs a controller until the end of the test. */
export function run(
  t: TestContext,
  client: RecordingClient,
  { leads = true, ...options }: Partial<ControllerOptions> & Pick<Setup, 'leads'> = {},
) {
  const registry = createRegistry();
  const controller = createController(client, { registry, ...options });
  const [stop, stopLeading] = [new AbortController(), new AbortController()];
  const watching = controller.watch(stop.signal);
  const leading = leads
    ? controller.lead(soleLeadership(AbortSignal.any([stop.signal, stopLeading.signal])))
    : undefined;
  t.after(async () => {
    stop.abort();
    await Promise.all([watching, leading]);
  });
  const yieldLease = () => (stopLeading.abort(), leading);
  return { controller, registry, yieldLease };
}
