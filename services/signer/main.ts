// Starts the signer: reads the configuration, wires up the components, and drains them in order on shutdown. The only
// file of the service that exits the process.

import { CSR_PATH } from '@countersign/common/csr.ts';
import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import { parseServerList } from '@countersign/common/issuers/server-allow-list.ts';
import { isNativeVault } from '@countersign/common/issuers/vault-spec.ts';
import { runController } from '@countersign/common/runtime/controller/run-controller.ts';
import { type ClusterClient, createClusterClient } from '@countersign/common/runtime/kube/cluster-client.ts';
import { rememberOwnUsername } from '@countersign/common/runtime/kube/own-username.ts';
import { csrProtobuf } from '@countersign/common/runtime/kube/protobuf/csr-protobuf.ts';
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
import { delegateUnless } from './issuers/cert-manager/delegate-unless.ts';
import { createDelegatedIssuer } from './issuers/cert-manager/delegated-issuer.ts';
import type { DelegatedType } from './issuers/cert-manager/delegated-type.ts';
import type { IssuerTypeHandler } from './issuers/issuer-type.ts';
import { createSelfSignedIssuer } from './issuers/self-signed.ts';
import { createVaultIssuer, type VaultDeps } from './issuers/vault/vault.ts';
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
import { createPodKind } from './requests/pod-certificate/pod-kind.ts';
import { POD_CERTIFICATE_PROTOBUF } from './requests/pod-certificate/pod-protobuf.ts';
import { SecretReader } from './secret-reader.ts';

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
    protobuf: [csrProtobuf({ labels: config.delegate }), POD_CERTIFICATE_PROTOBUF],
  });
  const createPolicyCache = config.requireApprovalPolicy ? await loadPolicyCache() : undefined;
  const controller = createController(config, client, { log, metrics, createPolicyCache });
  const contactPath = CSR_PATH;
  return runController({ service: SERVICE, config, client, log, registry, controller, contactPath }, stop);
}

/** Loaded only where it is needed, because it loads CEL. */
async function loadPolicyCache(): Promise<ControllerOptions['createPolicyCache']> {
  const { PolicyCache } = await import('@countersign/common/runtime/reflector/policy-cache.ts');
  return options => new PolicyCache(options);
}

function createController(
  config: SignerConfig,
  client: ClusterClient,
  given: Pick<ControllerOptions, 'log' | 'metrics' | 'createPolicyCache'>,
): Controller {
  const secrets = new SecretReader(client);
  const clusterResourceNamespace = config.clusterResourceNamespace || client.namespace;
  const delegated = createDelegation(config, { ...given, client, clusterResourceNamespace });
  return new Controller({
    ...given,
    client,
    secrets,
    kinds: [CSR_KIND, ...(config.podCertificates ? [createPodKind(podSettings(config))] : [])],
    settings: {
      policy: issuancePolicy(config),
      handlers: createHandlers(
        config,
        { client, secrets, clusterResourceNamespace, metrics: given.metrics.vault },
        delegated.issuerOf,
      ),
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

type HandlerDeps = Omit<VaultDeps, 'allowedServers'>;

function createHandlers(
  config: SignerConfig,
  deps: HandlerDeps,
  delegated: Delegation['issuerOf'],
): readonly IssuerTypeHandler[] {
  const scheduler = new ComputeScheduler();
  const vault = createVaultIssuer({ ...deps, allowedServers: parseServerList(config.vaultServers) });
  const local = [createCaIssuer(scheduler), createSelfSignedIssuer(scheduler)];
  if (delegated === undefined) return [...local, vault];
  const isNative = ({ spec }: Issuer) => isNativeVault(spec.vault ?? {});
  const others = (['acme', 'venafi', 'external'] as const).map(delegated);
  return [...local, delegateUnless(isNative, vault, delegated('vault')), ...others];
}

interface Delegation {
  /** Undefined unless it is enabled. */
  readonly issuerOf?: (type: DelegatedType) => IssuerTypeHandler<undefined>;
  readonly wakers: readonly Waker[];
}

function createDelegation(
  { delegate, approveCertificateRequests: approves }: SignerConfig,
  deps: Pick<ControllerOptions, 'client' | 'log' | 'metrics'> & { readonly clusterResourceNamespace: string },
): Delegation {
  if (!delegate) return { wakers: [] };
  const { client, log, metrics, clusterResourceNamespace } = deps;
  const watch = new CertificateRequestWatch({ client, log, metrics: metrics.reflector });
  const username = rememberOwnUsername(client);
  const delegation = { client, watch, username, clusterResourceNamespace, approves, now: () => new Date() };
  return { issuerOf: type => createDelegatedIssuer(type, delegation), wakers: [watch] };
}

try {
  requireNode();
  process.exitCode = await runProgram({ service: SERVICE, options: OPTIONS, findMistakes }, run);
} catch (error) {
  await reportFailure(SERVICE, error);
  process.exit(1);
}
