// `request`: key, CSR, waiting, certificate, in one command.

import { rename, rm } from 'node:fs/promises';
import type { Command } from '../arguments/command.ts';
import { CLUSTER_FLAGS, HELP_FLAG, namespaceFlag } from '../arguments/flag.ts';
import type { Arguments } from '../arguments/parse.ts';
import type { Api } from '../cluster/api.ts';
import { withApi } from '../cluster/choice.ts';
import type { Csr } from '../cluster/csr.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { requireFree, writeOutput } from '../files/output-files.ts';
import { createCsr } from '../request/create-csr.ts';
import { formatKey, KEY_TYPES } from '../request/key-pair.ts';
import { type Material, prepareMaterial } from '../request/material.ts';
import { type Order, readOrder } from '../request/order.ts';
import { type ResultPaths, resultFiles, resultPaths } from '../request/results.ts';
import type { Io } from '../terminal/io.ts';
import { safeText } from '../terminal/safe-text.ts';
import { parseTimeout, TIMEOUT_FLAG, type Timeout, waitWithProgress } from '../waiting/wait-with-progress.ts';

export const REQUEST: Command = {
  name: 'request',
  summary: 'Make a key, request a certificate for it, and write both to files',
  usages: ['NAME --issuer=ISSUER --dns=NAME [flags]', 'NAME --issuer=ISSUER --csr=FILE [flags]'],
  about: [
    'Creates the CSR NAME, waits until it is approved and signed, and writes NAME.key (readable by you only), NAME.crt (the certificate with its chain) and NAME.ca.crt. Files are overwritten only with --force.',
    'The key is written before the CSR is created, and removed if the API server refuses the CSR. After a timeout (exit code 4) the key stays: once the CSR is signed, its certificate is in status.certificate.',
    'Without --usage, the certificate is for servers: digital signature and server auth, and for RSA keys also key encipherment.',
  ],
  flags: {
    issuer: { value: 'NAME', help: 'Issuer in the namespace of -n.' },
    'cluster-issuer': { value: 'NAME', help: 'ClusterIssuer.' },
    'signer-name': { value: 'NAME', help: 'Signer name, instead of an issuer.' },
    dns: { value: 'NAME', isList: true, help: 'DNS name; may be repeated, or a list with commas.' },
    ip: { value: 'ADDRESS', isList: true, help: 'IP address; may be repeated.' },
    uri: { value: 'URI', isList: true, help: 'URI, such as a SPIFFE ID; may be repeated.' },
    email: { value: 'ADDRESS', isList: true, help: 'Email address; may be repeated.' },
    subject: { value: 'NAME', help: 'Subject, such as CN=app,O=team. Defaults to the empty one.' },
    usage: { value: 'USAGE', isList: true, help: 'Usage as in spec.usages; may be repeated.' },
    duration: { value: 'DURATION', help: 'Lifetime, such as 2160h. Defaults to 90 days.' },
    ca: { help: 'Request a CA certificate.' },
    'key-type': {
      value: 'TYPE',
      values: KEY_TYPES,
      help: `Type of the new key: ${KEY_TYPES.join(', ')}. Defaults to ecdsa-p256.`,
    },
    key: { value: 'FILE', help: 'Private key in PEM to use instead of a new one.' },
    csr: { value: 'FILE', help: 'PKCS#10 request in PEM to send; you have its key.' },
    out: { value: 'PREFIX', help: 'Prefix of the files. Defaults to NAME.' },
    force: { help: 'Overwrite files.' },
    'dry-run': { help: 'Send the CSR as a dry run; create and write nothing.' },
    'no-wait': { help: 'Write the key, create the CSR, and do not wait.' },
    ...TIMEOUT_FLAG,
    ...CLUSTER_FLAGS,
    ...namespaceFlag('Namespace of the Issuer. Defaults to that of the context.'),
    ...HELP_FLAG,
  },
  examples: [
    ['kubectl countersign request web --issuer=my-ca -n sandbox --dns=web.sandbox.svc', 'A serving certificate'],
    [
      'kubectl countersign request jane --cluster-issuer=people --subject=CN=jane --usage="client auth"',
      'A client certificate',
    ],
    ['kubectl countersign request web --issuer=my-ca --csr=web.csr', 'For a request of another tool'],
  ],

  run: (given, io) =>
    withApi(given, io, async api => {
      const order = readOrder(given, api.namespace);
      const timeout = parseTimeout(given.text('timeout'));
      const paths = resultPaths(given.text('out') ?? order.name);
      if (given.has('dry-run')) return dryRun(api, io, order, await prepareMaterial(given, io, order.keyType));
      requireFree(
        [...(given.has('csr') || given.has('key') ? [] : [paths.key]), paths.certificate, paths.ca],
        given.has('force'),
      );
      const material = await prepareMaterial(given, io, order.keyType);
      const csr = await createWithKey(api, io, order, { material, paths, given });
      return given.has('no-wait') ? EXIT.ok : finish(api, io, csr, { material, paths, given, timeout });
    }),
};

interface Job {
  readonly material: Material;
  readonly paths: ResultPaths;
  readonly given: Arguments;
}

async function dryRun(api: Api, io: Io, order: Order, { request }: Material): Promise<ExitCode> {
  const { warnings } = await createCsr(api, order, request, true);
  showWarnings(io, warnings);
  io.out(`certificatesigningrequest.certificates.k8s.io/${safeText(order.name)} accepted (dry run)\n`);
  return EXIT.ok;
}

/** The key first: a certificate without its key would be lost. */
async function createWithKey(api: Api, io: Io, order: Order, { material, paths, given }: Job): Promise<Csr> {
  const { newKey, request } = material;
  // An old key is replaced only once the CSR exists.
  const draft = given.has('force') ? `${paths.key}.new` : paths.key;
  if (newKey !== undefined)
    await writeOutput({ path: draft, content: formatKey(newKey), mode: 0o600 }, given.has('force'));
  const { body, warnings } = await createCsr(api, order, request, false).catch(async (error: unknown) => {
    if (newKey !== undefined) await rm(draft, { force: true });
    throw error;
  });
  showWarnings(io, warnings);
  if (newKey !== undefined) await keepKey(io, draft, paths.key);
  io.err(`created certificatesigningrequest.certificates.k8s.io/${safeText(order.name)}\n`);
  return body;
}

async function keepKey(io: Io, draft: string, path: string): Promise<void> {
  await rename(draft, path);
  io.err(`wrote ${safeText(path)}\n`);
}

function showWarnings(io: Io, warnings: readonly string[]): void {
  for (const warning of warnings) io.err(`${io.style.warn('warning:')} ${safeText(warning)}\n`);
}

async function finish(
  api: Api,
  io: Io,
  csr: Csr,
  { material, paths, given, timeout }: Job & { readonly timeout: Timeout },
): Promise<ExitCode> {
  const issued = await waitWithProgress(api, io, csr, timeout);
  for (const file of resultFiles(issued, material.spki, paths)) {
    await writeOutput(file, given.has('force'));
    io.out(`${safeText(file.path)}\n`);
  }
  return EXIT.ok;
}
