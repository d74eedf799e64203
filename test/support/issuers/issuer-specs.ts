// Specs of issuers for the servers of this folder, and the Secrets that they reference.

import { openAuthority } from '../control-plane/authority.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { acmeDnsAccounts } from './acme-dns.ts';
import type { Pebble } from './pebble.ts';
import { TPP_CREDENTIALS, type Tpp } from './tpp-emulator.ts';

/** A Secret, in stringData. */
export type SecretContent = Readonly<Record<string, string>>;

export const ACME_DNS_SECRET = 'acme-dns';
export const TPP_SECRET = 'tpp';

export const TPP_DATA: SecretContent = TPP_CREDENTIALS;

/** The accounts with which cert-manager answers challenges for these domains. */
export function acmeDnsData(domains: readonly string[]): SecretContent {
  return { 'accounts.json': acmeDnsAccounts(domains) };
}

export function acmeSpec({ directory, caPem, acmeDns }: Pebble): object {
  const accountSecretRef = { name: ACME_DNS_SECRET, key: 'accounts.json' };
  // Without it, cert-manager waits a minute for the propagation of the record.
  const solver = { dns01: { acmeDNS: { host: acmeDns, accountSecretRef } }, waitInsteadOfSelfCheck: '0s' };
  const account = { privateKeySecretRef: { name: 'acme-account' }, email: 'admin@acme.example' };
  return { acme: { server: directory, caBundle: toBase64(caPem), ...account, solvers: [solver] } };
}

export function venafiSpec({ url, servingCaPem }: Tpp): object {
  const tpp = { url, caBundle: toBase64(servingCaPem), credentialsRef: { name: TPP_SECRET } };
  return { venafi: { zone: 'zone', tpp } };
}

/** The CA of the servers' certificates. */
export function openServingAuthority({ dir }: ControlPlane) {
  return openAuthority('test servers', `${dir}/servers-ca.crt`, `${dir}/servers-ca.key`);
}

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64');
}
