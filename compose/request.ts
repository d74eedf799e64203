// `docker compose run --rm request jane`: requests a certificate from the demo Issuer as one of the users and prints
// each step. The administrator approves every admitted request.

import 'reflect-metadata';
import { randomUUID, webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { Api, eventually } from './api.ts';
import { DEMO_SIGNER_NAME } from './demo.ts';
import { runInStack } from './in-stack.ts';

const CSRS = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
const ISSUED_MS = 30_000;

async function main(user: string | undefined): Promise<number> {
  if (user !== 'jane' && user !== 'mallory') {
    process.stderr.write('Usage: docker compose run --rm request jane|mallory\n');
    return 2;
  }
  const asUser = await Api.open(`/keys/${user}.kubeconfig`);
  const name = `${user}-${randomUUID().slice(0, 8)}`;
  print(`${user} creates the CertificateSigningRequest ${name} for ${DEMO_SIGNER_NAME}`);
  const created = await asUser.create(CSRS, csr(name, await createRequest(`${user}.example.com`)));
  if (created.status >= 300) {
    print(`  refused (${created.body.reason}): ${created.body.message?.trim()}`);
    return 1;
  }
  print(`  created\nadmin approves it`);
  await approve(await Api.open('/keys/admin.kubeconfig'), name);
  const chain = await eventually(`${name} is signed`, ISSUED_MS, () => certificateOf(asUser, name));
  const { subject, issuer, subjectAltName, validTo } = new X509Certificate(chain);
  print(`  signed: ${subject} (${subjectAltName}) by ${issuer}, expires ${validTo}\n${chain}`);
  return 0;
}

/** PEM of a PKCS#10 request for one DNS name, with a new key. */
async function createRequest(dnsName: string): Promise<string> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: `CN=${dnsName}`,
    keys: await webcrypto.subtle.generateKey(algorithm, false, ['sign', 'verify']),
    signingAlgorithm: algorithm,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: dnsName }])],
  });
  return request.toString('pem');
}

function csr(name: string, request: string) {
  const usages = ['digital signature', 'server auth'];
  const spec = { signerName: DEMO_SIGNER_NAME, usages, request: Buffer.from(request).toString('base64') };
  return { apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata: { name }, spec };
}

async function approve(api: Api, name: string): Promise<void> {
  const approved = { type: 'Approved', status: 'True', reason: 'Demo', message: 'approved for the demo' };
  const { status, body } = await api.patch(`${CSRS}/${name}/approval`, { status: { conditions: [approved] } });
  if (status >= 300) throw new Error(`cannot approve ${name}: ${body.message}`);
}

/** PEM; undefined until the certificate is issued. */
async function certificateOf(api: Api, name: string): Promise<string | undefined> {
  const { body } = await api.get<{ status?: { certificate?: string } }>(`${CSRS}/${name}`);
  const certificate = body.status?.certificate;
  return certificate === undefined ? undefined : Buffer.from(certificate, 'base64').toString();
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

await runInStack(() => main(process.argv[2]));
