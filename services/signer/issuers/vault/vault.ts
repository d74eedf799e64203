// Issuers of type Vault: the PKI secrets engine of a Vault or OpenBao server signs. Countersign logs in itself with a
// token, an AppRole, a Kubernetes ServiceAccount or a client certificate; AWS auth is left to others.

import { type Issuer, secretNamespace } from '@countersign/common/issuers/issuer.ts';
import { isServerAllowed } from '@countersign/common/issuers/server-allow-list.ts';
import { findVaultFault } from '@countersign/common/issuers/vault-faults.ts';
import { reasons } from '@countersign/common/reasons/reasons.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import type { SecretReader } from '../../secret-reader.ts';
import { failFor } from '../bad-request.ts';
import type { IssuanceRequest, IssuerDecision, IssuerTypeHandler, RemoteAnswer } from '../issuer-type.ts';
import { topOfRemote } from '../stored-certificate.ts';
import { IssuerRest } from './issuer-rest.ts';
import type { VaultMetrics } from './vault-metrics.ts';
import { notReady, VaultReadiness } from './vault-readiness.ts';
import { VaultServers } from './vault-servers.ts';
import { type SignOrder, signWithVault, type VaultSession } from './vault-signer.ts';
import { VaultTokens } from './vault-tokens.ts';

export interface VaultDeps {
  /** Requests tokens of ServiceAccounts. */
  readonly client: Pick<KubeClient, 'create'>;
  readonly secrets: Pick<SecretReader, 'read'>;
  readonly clusterResourceNamespace: string;
  readonly metrics: VaultMetrics;
  /** Hosts of servers that may be asked; empty: all. */
  readonly allowedServers: readonly string[];
}

export function createVaultIssuer(deps: VaultDeps): IssuerTypeHandler<undefined> {
  const session = createSession(deps);
  const readiness = new VaultReadiness(session);
  const scopeOf = (ref: SignerRef, issuer: Issuer) => {
    return { ref, issuer, namespace: secretNamespace(ref, deps.clusterResourceNamespace) };
  };
  return {
    type: 'vault',
    load: async () => undefined,
    reject: () => undefined,
    // The certificate of the root comes only with a new certificate.
    topOf: (_, stored) => topOfRemote(stored),
    readiness: async ({ ref, issuer }) => {
      const fault = findFault(issuer, deps.allowedServers);
      return fault === undefined ? readiness.find(scopeOf(ref, issuer)) : notReady(fault);
    },
    decide: request =>
      decide(request, deps.allowedServers, order => {
        return signWithVault(session, scopeOf(request.ref, request.issuer), order);
      }),
  };
}

function createSession({ client, secrets, metrics }: VaultDeps): VaultSession {
  const servers = new VaultServers(metrics);
  return { secrets, servers, tokens: new VaultTokens(servers, client), rest: new IssuerRest() };
}

type Sign = (order: SignOrder) => Promise<RemoteAnswer>;

/** What only the owner of the issuer can fix makes the request wait. */
function decide(
  { requested, issuer, policy }: IssuanceRequest,
  allowed: readonly string[],
  sign: Sign,
): IssuerDecision {
  const fault = findFault(issuer, allowed);
  if (fault !== undefined) {
    return { kind: 'wait', reason: 'ErrorVaultInit', message: reasons.ErrorVaultInit.message(fault) };
  }
  if (!requested.ok) return failFor(requested.error);
  const { value } = requested;
  const submit = (signal: AbortSignal) => sign({ requested: value, rootInChain: policy.rootInChain, signal });
  return { kind: 'issue', issuance: { kind: 'remote', requested: value, submit } };
}

function findFault({ spec: { vault = {} } }: Issuer, allowed: readonly string[]): string | undefined {
  const fault = findVaultFault(vault);
  if (fault !== undefined || isServerAllowed(allowed, vault.server ?? '')) return fault;
  return `Vault server ${new URL(vault.server ?? '').host} is not among the servers that the operator of Countersign allows (--vault-servers)`;
}
