// Keys and requests of the demo's users, made with openssl.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ManifestDeps, writeManifest } from './manifests.ts';

const LEAF_USAGES = ['digital signature', 'key encipherment', 'server auth'];

interface RequestOptions {
  readonly name: string;
  readonly signerName: string;
  readonly annotations?: Record<string, string>;
}

/** Creates a key and a PKCS#10 request with openssl, and writes a CertificateSigningRequest to `<name>.yaml`. */
export async function createRequest(
  deps: ManifestDeps,
  { name, signerName, annotations }: RequestOptions,
): Promise<void> {
  await deps.narrator.run(generateKey(name));
  const names = ['-subj', `/CN=${name}.example.com`, '-addext', `subjectAltName=DNS:${name}.example.com`];
  await deps.narrator.run(['openssl', 'req', '-new', '-key', `${name}.key`, ...names, '-out', `${name}.csr`]);
  const request = (await readFile(join(deps.dir, `${name}.csr`))).toString('base64');
  const manifest = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name, ...(annotations && { annotations }) },
    spec: { signerName, usages: LEAF_USAGES, request },
  };
  const shown = {
    ...manifest,
    spec: { ...manifest.spec, request: `${request.slice(0, 40)}… (base64 of ${name}.csr)` },
  };
  await writeManifest(deps, `${name}.yaml`, manifest, shown);
}

export function generateKey(name: string): string[] {
  return ['openssl', 'genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', `${name}.key`];
}
