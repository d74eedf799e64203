// An API server with one CA issuer and its trust bundle, and a controller that keeps it, for trust-bundles.test.ts.

import type { TestContext } from 'node:test';
import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import type { Secret } from '@countersign/common/secret.ts';
import type { BundleWrite } from '@countersign/signer/trust-bundles/bundle-change.ts';
import type { TrustBundle } from '@countersign/signer/trust-bundles/bundle-object.ts';
import { buildIssuer, buildSecret } from '../../support/ca-builder.ts';
import { buildCertificate, createHolder, type Holder } from '../../support/certificate-builder.ts';
import type { RecordedCall } from '../../support/recording-client.ts';
import { afterWrite } from '../../support/trust-anchors.ts';
import { until } from '../../support/until.ts';
import { ClusterClient, run } from './controller-harness.ts';

export const BUNDLES = '/apis/certificates.k8s.io/v1/clustertrustbundles';
const NAME = 'issuers.cert-manager.io:sandbox.my-ca:anchors';
export const BUNDLE = `${BUNDLES}/${encodeURIComponent(NAME)}`;
const WRITER = '?fieldManager=countersign-signer';
export const CREATE = `create ${BUNDLES}${WRITER}`;
export const PATCH = `mergePatch ${BUNDLE}${WRITER}`;
const KEEP_MS = 91 * 86_400_000;

export const [OLD, NEW] = [createHolder('old'), createHolder('new')];
export const [OLD_PEM, NEW_PEM] = [buildCertificate(OLD), buildCertificate(NEW)];

export function secretOf(holder: Holder, certificate: string, version: string, root?: string): Secret {
  const key = holder.privateKey.export({ format: 'pem', type: 'pkcs8' });
  const ca = root === undefined ? {} : { 'ca.crt': root };
  return buildSecret({ 'tls.key': key, 'tls.crt': certificate, ...ca }, 'my-ca', version);
}

/** An API server with one issuer that has trust bundles, as long as it is served. */
export class BundleCluster extends ClusterClient {
  bundle: TrustBundle | undefined;
  isServed = true;
  /** Throws to fail a write. */
  fault: (call: RecordedCall) => void = () => undefined;

  constructor() {
    super();
    this.secret = secretOf(OLD, OLD_PEM, '1');
    this.answerFirst(call => this.#answer(call));
  }

  get bundleWrites(): string[] {
    return this.writes.filter(({ path }) => path.startsWith(BUNDLES)).map(({ verb, path }) => `${verb} ${path}`);
  }

  #answer(call: RecordedCall): unknown {
    const { verb, path } = call;
    if (path === '/apis/certificates.k8s.io/v1') {
      return { resources: this.isServed ? [{ name: 'clustertrustbundles' }] : [] };
    }
    if (!path.startsWith(BUNDLES)) return undefined;
    if (verb === 'get' && path === BUNDLE) return this.bundle;
    if (verb === 'get') {
      return { metadata: { resourceVersion: '1' }, items: this.bundle === undefined ? [] : [this.bundle] };
    }
    this.fault(call);
    this.change(toWrite(call));
    return this.bundle ?? {};
  }

  /** As others would. */
  change(write: BundleWrite): void {
    const before = this.bundle;
    this.bundle = afterWrite(before, write);
    const object = this.bundle ?? before!;
    const type = this.bundle === undefined ? 'DELETED' : 'MODIFIED';
    this.push('clustertrustbundles', type, object, object.metadata.resourceVersion ?? '');
  }
}

function toWrite({ verb, body }: RecordedCall): BundleWrite {
  if (verb === 'remove') return { kind: 'delete', preconditions: body as { uid: string; resourceVersion: string } };
  return { kind: verb === 'create' ? 'create' : 'patch', body: body as object };
}

interface Setup {
  readonly issuer?: Issuer | undefined;
  readonly publish?: 'all' | 'annotated';
  readonly arrange?: (cluster: BundleCluster) => void;
}

export async function start(t: TestContext, { issuer = buildIssuer(), publish = 'all', arrange }: Setup = {}) {
  const cluster = new BundleCluster();
  cluster.lists['issuers'] = [issuer];
  arrange?.(cluster);
  const { controller, registry } = run(t, cluster, { trustBundles: { publish, keepRetiredMs: KEEP_MS } });
  await until(() => controller.problems().length === 0);
  const metricsOf = async (name: string) =>
    (await registry.metrics()).split('\n').filter(line => line.startsWith(`${name}{`) && !line.endsWith(' 0'));
  /** As with the recheck of every minute: another version of the issuer, which says nothing new. */
  const lookAgain = (version: string) => cluster.push('issuers', 'MODIFIED', issuer, version);
  return { cluster, controller, lookAgain, metricsOf };
}

export const whenWritten = (cluster: BundleCluster, count: number) => until(() => cluster.bundleWrites.length >= count);
