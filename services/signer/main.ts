// Starts the signer: reads the configuration, wires up the components, and drains them in order on shutdown. The only
// file of the service that exits the process.

import { CSR_PATH } from '@countersign/common/csr.ts';
import { runController } from '@countersign/common/runtime/controller/run-controller.ts';
import { type ClusterClient, createClusterClient } from '@countersign/common/runtime/kube/cluster-client.ts';
import { rememberOwnUsername } from '@countersign/common/runtime/kube/own-username.ts';
import { printableConfig } from '@countersign/common/runtime/options/config.ts';
import { createStopSignal, requireNode } from '@countersign/common/runtime/process/lifecycle.ts';
import { createLogger } from '@countersign/common/runtime/process/log.ts';
import { createRegistry, createRequestObserver } from '@countersign/common/runtime/process/metrics.ts';
import { reportFailure, runProgram } from '@countersign/common/runtime/process/program.ts';
import { ComputeScheduler } from './authority/compute-scheduler.ts';
import { Controller } from './controllers/controller.ts';
import type { ControllerOptions, Waker } from './controllers/controller-options.ts';
import { createCaIssuer } from './issuers/ca.ts';
import { CertificateRequestWatch } from './issuers/cert-manager/certificate-request-watch.ts';
import { createDelegatedIssuer } from './issuers/cert-manager/delegated-issuer.ts';
import type { IssuerTypeHandler } from './issuers/issuer-type.ts';
import { createSelfSignedIssuer } from './issuers/self-signed.ts';
import { SignerMetrics } from './metrics.ts';
import {
  findMistakes,
  issuancePolicy,
  OPTIONS,
  podSettings,
  type SignerConfig,
  trustBundleSettings,
} from './options.ts';
import { CSR_KIND } from './requests/csr/csr-kind.ts';
import { CSR_PROTOBUF } from './requests/csr/csr-protobuf.ts';
import { createPodKind } from './requests/pod-certificate/pod-kind.ts';
import { POD_CERTIFICATE_PROTOBUF } from './requests/pod-certificate/pod-protobuf.ts';

const SERVICE = 'countersign-signer';

async function run(config: SignerConfig): Promise<number> {
  const log = createLogger({ service: SERVICE, level: config.logLevel });
  log.info({ config: printableConfig(OPTIONS, config), version: process.version }, 'starting');
  const stop = createStopSignal({ log, exit: code => process.exit(code) });
  const registry = createRegistry();
  const metrics = new SignerMetrics(registry);
  const observe = createRequestObserver(registry);
  const client = createClusterClient({
    kubeconfig: config.kubeconfig,
    observe,
    protobuf: [CSR_PROTOBUF, POD_CERTIFICATE_PROTOBUF],
  });
  const controller = createController(config, client, { log, metrics });
  const contactPath = CSR_PATH;
  return runController({ service: SERVICE, config, client, log, registry, controller, contactPath }, stop);
}

function createController(
  config: SignerConfig,
  client: ClusterClient,
  seen: Pick<ControllerOptions, 'log' | 'metrics'>,
): Controller {
  const scheduler = new ComputeScheduler();
  const clusterResourceNamespace = config.clusterResourceNamespace || client.namespace;
  const delegated = createDelegation(config, { ...seen, client, clusterResourceNamespace });
  return new Controller({
    ...seen,
    client,
    kinds: [CSR_KIND, ...(config.podCertificates ? [createPodKind(podSettings(config))] : [])],
    settings: {
      policy: issuancePolicy(config),
      handlers: [createCaIssuer(scheduler), createSelfSignedIssuer(scheduler), ...delegated.handlers],
      clusterResourceNamespace,
      writeCaAnnotation: config.caAnnotation,
    },
    wakers: delegated.wakers,
    workers: config.workers,
    issuerStatus: config.issuerStatus,
    trustBundles: trustBundleSettings(config),
    constraintsNamespace: config.honourNameConstraints ? client.namespace : undefined,
  });
}

/** Empty unless it is enabled. */
function createDelegation(
  { delegate, approveCertificateRequests: approves }: SignerConfig,
  deps: Pick<ControllerOptions, 'client' | 'log' | 'metrics'> & { readonly clusterResourceNamespace: string },
): { readonly handlers: readonly IssuerTypeHandler[]; readonly wakers: readonly Waker[] } {
  if (!delegate) return { handlers: [], wakers: [] };
  const { client, log, metrics, clusterResourceNamespace } = deps;
  const watch = new CertificateRequestWatch({ client, log, metrics: metrics.reflector });
  const username = rememberOwnUsername(client);
  const delegation = { client, watch, username, clusterResourceNamespace, approves, now: () => new Date() };
  const handlers = (['acme', 'venafi'] as const).map(type => createDelegatedIssuer(type, delegation));
  return { handlers, wakers: [watch] };
}

try {
  requireNode();
  process.exitCode = await runProgram({ service: SERVICE, options: OPTIONS, findMistakes }, run);
} catch (error) {
  await reportFailure(SERVICE, error);
  process.exit(1);
}
