// A program that runs OpenBao, Pebble and the TPP emulator on an address of the node's network, where pods reach them,
// and writes what issuers need to know about them to a file. Runs until it is killed.

import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openAuthority } from '../support/control-plane/authority.ts';
import { acmeDnsData, acmeSpec, type SecretContent, TPP_DATA, venafiSpec } from '../support/issuers/issuer-specs.ts';
import { startPebble } from '../support/issuers/pebble.ts';
import { startTpp } from '../support/issuers/tpp-emulator.ts';
import { startOpenBao } from '../support/openbao.ts';
import { createToken, setUpPki } from '../support/vault-pki.ts';

export const PROGRAM = fileURLToPath(import.meta.url);
/** The name of the file in the folder of the node. */
export const FILE = 'issuer-servers.json';
export const VAULT_SECRET = 'vault-token';

/** One server that signs for an issuer. */
export interface IssuerServer {
  /** The spec of an issuer that uses it. */
  readonly spec: object;
  /** The content of the Secret that the spec names. */
  readonly secret: SecretContent;
  /** The PEM of the CA with which its certificates are verified. */
  readonly rootPem: string;
}

export interface IssuerServers {
  readonly vault: IssuerServer;
  readonly acme: IssuerServer;
  readonly venafi: IssuerServer;
  readonly vaultUrl: string;
  /** The DNS server for ACME challenges. */
  readonly nameserver: string;
}

/** The only domain for which ACME challenges can be solved. */
export const ACME_DOMAIN = 'acme.example.com';

async function startServers(dir: string, address: string): Promise<IssuerServers> {
  const bao = await startOpenBao({ parent: dir, address });
  await setUpPki(bao);
  const root = await fetch(`${bao.url}/v1/pki/ca/pem`);
  const vault = {
    server: bao.url,
    path: 'pki/sign/any',
    auth: { tokenSecretRef: { name: VAULT_SECRET, key: 'token' } },
  };
  const pebble = await startPebble(dir, address);
  const serving = await openAuthority('test servers', join(dir, 'servers-ca.crt'), join(dir, 'servers-ca.key'));
  const tpp = await startTpp(serving, address);
  return {
    vault: { spec: { vault }, secret: { token: await createToken(bao) }, rootPem: await root.text() },
    acme: { spec: acmeSpec(pebble), secret: acmeDnsData([ACME_DOMAIN]), rootPem: await pebble.readRoot() },
    venafi: { spec: venafiSpec(tpp), secret: TPP_DATA, rootPem: tpp.rootPem },
    vaultUrl: bao.url,
    nameserver: pebble.nameserver,
  };
}

if (import.meta.main) {
  const [dir = '', address = ''] = process.argv.slice(2);
  const servers = await startServers(dir, address);
  // Readers never see a part of it.
  await writeFile(join(dir, `.${FILE}`), JSON.stringify(servers), { mode: 0o600 });
  await rename(join(dir, `.${FILE}`), join(dir, FILE));
}
