// A cluster in which Countersign delegates to a real cert-manager, with Pebble and the TPP emulator, and shortcuts for
// CertificateRequests.

import { createRequest } from '../certificate-checks.ts';
import { type Cluster, startCluster } from '../cluster.ts';
import { type InstallOptions, NAMESPACE } from '../installation.ts';
import { readPki } from '../pki.ts';
import { type CsrCondition, type CsrInput, createThenApprove } from '../requests.ts';
import { CertManager, createCertManager } from './cert-manager.ts';
import { ACME_DNS_SECRET, acmeDnsData, openServingAuthority, TPP_DATA, TPP_SECRET } from './issuer-specs.ts';
import { type Pebble, startPebble } from './pebble.ts';
import { startTpp, type Tpp } from './tpp-emulator.ts';

export const API = '/apis/cert-manager.io/v1';

export interface CertificateRequestObject {
  readonly metadata: { readonly name: string; readonly uid: string; readonly labels?: Record<string, string> };
  readonly spec: { readonly username?: string; readonly issuerRef: { readonly name: string } };
  readonly status?: { readonly conditions?: readonly CsrCondition[] };
}

export type DelegatedOptions = Pick<InstallOptions, 'signers' | 'managedWebhookUrl'> & {
  /** Whether the signer approves the CertificateRequests that it creates. */
  readonly approves?: boolean;
};

export class DelegatedWorld {
  readonly cluster: Cluster;
  readonly pebble: Pebble;
  readonly tpp: Tpp;
  readonly certManager: CertManager;

  private constructor(cluster: Cluster, servers: { pebble: Pebble; tpp: Tpp; certManager: CertManager }) {
    this.cluster = cluster;
    this.pebble = servers.pebble;
    this.tpp = servers.tpp;
    this.certManager = servers.certManager;
  }

  /** cert-manager is not installed yet. The caller must stop it. */
  static async start({ approves = false, ...services }: DelegatedOptions = {}): Promise<DelegatedWorld> {
    const flags = ['--delegate=true'];
    const approval = approves ? ['--approve-certificate-requests=true'] : [];
    const cluster = await startCluster({
      ...services,
      values: { delegation: { enabled: true, approve: approves } },
      signerFlags: [...flags, ...approval, '--issuer-status=never'],
      webhookFlags: flags,
    });
    const { controlPlane } = cluster;
    const pebble = await startPebble(controlPlane.dir);
    const tpp = await startTpp(await openServingAuthority(controlPlane));
    const options = { clusterResourceNamespace: NAMESPACE, nameserver: pebble.nameserver };
    const certManager = await createCertManager(controlPlane, options);
    return new DelegatedWorld(cluster, { pebble, tpp, certManager });
  }

  async stop(): Promise<void> {
    await Promise.all([this.certManager.stop(), this.pebble.stop(), this.tpp.close()]);
    await this.cluster.stop();
  }

  /** The Secrets that issuers of both types reference. */
  async createSecrets(namespace: string, domains: readonly string[]): Promise<void> {
    await this.cluster.createSecret(namespace, ACME_DNS_SECRET, acmeDnsData(domains));
    await this.cluster.createSecret(namespace, TPP_SECRET, TPP_DATA);
  }

  /** Creates and approves a CSR for one DNS name. */
  async request(domain: string, input: Omit<CsrInput, 'request'>): Promise<void> {
    const request = await createRequest(readPki('keys/p256'), domain, '-addext', `subjectAltName=DNS:${domain}`);
    await createThenApprove(this.cluster, { ...input, request });
  }

  /** The CertificateRequests whose names begin with the name of the CSR. */
  async certificateRequestsOf(csrName: string, namespace: string): Promise<CertificateRequestObject[]> {
    const path = `${API}/namespaces/${namespace}/certificaterequests`;
    const { items } = await this.cluster.api.get<{ items: CertificateRequestObject[] }>(path);
    return items.filter(({ metadata }) => metadata.name.startsWith(`${csrName}-`));
  }

  /** Waits for the CertificateRequest of a CSR. */
  whenCreated(csrName: string, namespace: string): Promise<CertificateRequestObject> {
    return this.cluster.eventually(`${csrName} has a CertificateRequest`, async () => {
      return (await this.certificateRequestsOf(csrName, namespace))[0];
    });
  }
}
