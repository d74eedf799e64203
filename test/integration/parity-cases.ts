// The requests that both signers get, one group for each issuer type, and the issuers that they name.

import { REQUEST_DURATION, REQUEST_IS_CA } from '@countersign/common/annotations.ts';
import { acmeSpec, venafiSpec } from '../support/issuers/issuer-specs.ts';
import { type ParityCase, type ParityWorld, TENANT } from '../support/issuers/parity-world.ts';
import { BLOCKED_DOMAIN } from '../support/issuers/pebble.ts';
import { REFUSED_ZONE } from '../support/issuers/tpp-emulator.ts';

/** A name where no server listens. */
const NO_SERVER = 'http://127.0.0.1:1';

export async function createIssuers(parity: ParityWorld): Promise<void> {
  await createVaultIssuers(parity);
  await createAcmeIssuers(parity);
  await createVenafiIssuers(parity);
}

async function createVaultIssuers(parity: ParityWorld): Promise<void> {
  const vault = (change: object = {}, secret = 'vault') => ({
    vault: { server: parity.bao.url, path: 'pki/sign/any', auth: { tokenSecretRef: { name: secret } }, ...change },
  });
  await parity.createTrusted('vault', vault());
  await parity.createTrusted('vault-narrow', vault({ path: 'pki/sign/narrow' }));
  await parity.createTrusted('vault-no-role', vault({ path: 'pki/sign/nope' }));
  await parity.createTrusted('vault-no-mount', vault({ path: 'nope/sign/any' }));
  await parity.createTrusted('vault-no-secret', vault({}, 'missing'));
  await parity.createTrusted('vault-down', vault({ server: NO_SERVER }));
}

async function createAcmeIssuers(parity: ParityWorld): Promise<void> {
  const { pebble } = parity.world;
  const spec = acmeSpec(pebble) as { acme: { solvers: object[] } };
  await parity.createVerified('acme', spec);
  // cert-manager does not find it Ready.
  const noSecret = { acme: { ...spec.acme, solvers: [withoutSecret(pebble.acmeDns)] } };
  await parity.cluster.createIssuer({ name: 'acme-no-secret' }, noSecret);
  await parity.createVerified('acme-profile', { acme: { ...spec.acme, profile: 'nope' } });
  await parity.createAbandoned('acme-down', acmeSpec);
}

function withoutSecret(host: string): object {
  const acmeDNS = { host, accountSecretRef: { name: 'missing', key: 'accounts.json' } };
  return { dns01: { acmeDNS }, waitInsteadOfSelfCheck: '0s' };
}

async function createVenafiIssuers(parity: ParityWorld): Promise<void> {
  const spec = venafiSpec(parity.world.tpp) as { venafi: { tpp: object } };
  const tpp = (change: object, server: object = {}) => ({
    venafi: { ...spec.venafi, ...change, tpp: { ...spec.venafi.tpp, ...server } },
  });
  await parity.createTrusted('venafi', spec);
  await parity.createTrusted('venafi-refused', tpp({ zone: REFUSED_ZONE }));
  await parity.createTrusted('venafi-no-secret', tpp({}, { credentialsRef: { name: 'missing' } }));
  await parity.createTrusted('venafi-down', tpp({}, { url: 'https://localhost:1/vedsdk/' }));
}

const tenant = (issuer: string) => `issuers.cert-manager.io/${TENANT}.${issuer}`;
const cluster = (issuer: string) => `clusterissuers.cert-manager.io/${issuer}`;
const subject = (text: string) => ['-subj', text];
const names = (text: string) => ['-addext', `subjectAltName=${text}`];
const dns = (domain: string) => [...subject(`/CN=${domain}`), ...names(`DNS:${domain}`)];
const CLIENT = { usages: ['client auth', 'digital signature'] };
const DURATION = { annotations: { [REQUEST_DURATION]: '1h' } };
const IS_CA = { annotations: { [REQUEST_IS_CA]: 'true' }, usages: ['cert sign', 'digital signature'] };

export const VAULT_CASES: readonly ParityCase[] = [
  {
    name: 'vault-dns',
    signerName: tenant('vault'),
    options: [...subject('/CN=www.example.com/O=team'), ...names('DNS:www.example.com,DNS:api.example.com')],
  },
  {
    name: 'vault-other-names',
    signerName: tenant('vault'),
    options: [
      ...subject('/CN=www.example.com'),
      ...names('DNS:www.example.com,URI:spiffe://x/y,email:a@example.com,IP:10.0.0.1'),
    ],
  },
  { name: 'vault-usages', signerName: tenant('vault'), options: dns('www.example.com'), asked: CLIENT },
  { name: 'vault-duration', signerName: tenant('vault'), options: dns('www.example.com'), asked: DURATION },
  { name: 'vault-ca', signerName: tenant('vault'), options: dns('www.example.com'), asked: IS_CA },
  { name: 'vault-refused', signerName: tenant('vault-narrow'), options: dns('www.example.org') },
  {
    name: 'vault-no-role',
    signerName: tenant('vault-no-role'),
    options: dns('www.example.com'),
    waits: { countersign: 'VaultDenied' },
  },
  {
    name: 'vault-no-mount',
    signerName: tenant('vault-no-mount'),
    options: dns('www.example.com'),
    waits: { countersign: 'VaultDenied' },
  },
  {
    name: 'vault-no-secret',
    signerName: tenant('vault-no-secret'),
    options: dns('www.example.com'),
    waits: { countersign: 'SecretNotFound' },
  },
  {
    name: 'vault-down',
    signerName: tenant('vault-down'),
    options: dns('www.example.com'),
    waits: { countersign: 'VaultUnavailable' },
  },
];

export const DOMAINS = [
  'one.example',
  'two.example',
  'three.example',
  'four.example',
  BLOCKED_DOMAIN,
  'down.example',
  'profile.example',
  'ca.example',
  'secret.example',
];

/** The event after the creation of the Order. */
const ORDER_PENDING = 'OrderPending: Waiting on certificate issuance';

export const ACME_CASES: readonly ParityCase[] = [
  { name: 'acme-dns', signerName: cluster('acme'), options: dns('one.example') },
  {
    name: 'acme-other-names',
    signerName: cluster('acme'),
    options: [...subject('/'), ...names('DNS:two.example,URI:spiffe://x/y,email:a@two.example')],
  },
  { name: 'acme-usages', signerName: cluster('acme'), options: dns('three.example'), asked: CLIENT },
  { name: 'acme-duration', signerName: cluster('acme'), options: dns('four.example'), asked: DURATION },
  { name: 'acme-ca', signerName: cluster('acme'), options: dns('ca.example'), asked: IS_CA },
  { name: 'acme-blocked', signerName: cluster('acme'), options: dns(BLOCKED_DOMAIN) },
  {
    name: 'acme-common-name',
    signerName: cluster('acme'),
    options: [...subject('/CN=other.example'), ...names('DNS:one.example')],
  },
  {
    name: 'acme-no-secret',
    signerName: cluster('acme-no-secret'),
    options: dns('secret.example'),
    waits: { countersign: 'IssuerNotReady', certManager: 'IssuerNotReady' },
  },
  { name: 'acme-profile', signerName: cluster('acme-profile'), options: dns('profile.example') },
  {
    name: 'acme-down',
    signerName: cluster('acme-down'),
    options: dns('down.example'),
    waits: { countersign: ORDER_PENDING, certManager: ORDER_PENDING },
  },
];

export const VENAFI_CASES: readonly ParityCase[] = [
  { name: 'venafi-dns', signerName: tenant('venafi'), options: dns('www.example.com') },
  {
    name: 'venafi-other-names',
    signerName: tenant('venafi'),
    options: [...subject('/CN=www.example.com'), ...names('DNS:www.example.com,URI:spiffe://x/y,email:a@example.com')],
  },
  { name: 'venafi-usages', signerName: tenant('venafi'), options: dns('www.example.com'), asked: CLIENT },
  { name: 'venafi-duration', signerName: tenant('venafi'), options: dns('www.example.com'), asked: DURATION },
  { name: 'venafi-ca', signerName: tenant('venafi'), options: dns('www.example.com'), asked: IS_CA },
  {
    name: 'venafi-no-subject',
    signerName: tenant('venafi'),
    options: [...subject('/'), ...names('DNS:www.example.com')],
  },
  { name: 'venafi-refused', signerName: tenant('venafi-refused'), options: dns('www.example.com') },
  {
    name: 'venafi-no-secret',
    signerName: tenant('venafi-no-secret'),
    options: dns('www.example.com'),
    waits: { countersign: 'IssuancePending', certManager: 'SecretNotFound' },
  },
  {
    name: 'venafi-down',
    signerName: tenant('venafi-down'),
    options: dns('www.example.com'),
    waits: { countersign: 'IssuancePending', certManager: 'ErrorVenafiInit' },
  },
];
