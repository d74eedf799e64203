// Finds the trust anchors of an issuer: in its Secret, or for users who may not read it in the annotation of its newest
// signed CSR. Changes nothing.

import { CA } from '@countersign/common/annotations.ts';
import { secretNamespace } from '@countersign/common/issuers/issuer.ts';
import { signingSecret } from '@countersign/common/issuers/issuer-types.ts';
import { formatIssuer } from '@countersign/common/reasons/own-reasons.ts';
import { formatSignerName, type IssuerRef } from '@countersign/common/signer-name.ts';
import { CliError } from '../cli-error.ts';
import type { Api } from '../cluster/api.ts';
import { listCsrs } from '../cluster/csrs.ts';
import { readIssuer } from '../cluster/issuers.ts';
import { readSecretCertificates } from './secret-certificates.ts';

export interface Anchors {
  /** PEM. */
  readonly pem: string;
  readonly from: string;
}

export async function findAnchors(api: Api, ref: IssuerRef, clusterResourceNamespace: string): Promise<Anchors> {
  const anchors = (await fromSecret(api, ref, clusterResourceNamespace)) ?? (await fromCsrs(api, ref));
  if (anchors !== undefined) return anchors;
  throw new CliError(
    `the CA of ${formatIssuer(ref)} is not known`,
    'Its Secret cannot be read, and no signed CSR of it has the CA. Ask for the right to read the Secret, or request a certificate first.',
  );
}

async function fromSecret(api: Api, ref: IssuerRef, clusterResourceNamespace: string): Promise<Anchors | undefined> {
  const issuer = await readIssuer(api, ref);
  if (!issuer.known) return undefined;
  if (issuer.value === undefined)
    throw new CliError(`${formatIssuer(ref)} does not exist`, 'kubectl get issuers,clusterissuers -A lists all.');
  const secret = signingSecret(issuer.value.spec, undefined);
  if (secret?.holdsCa !== true) {
    throw new CliError(
      `${formatIssuer(ref)} has no CA: it is not of type ca`,
      'Each of its certificates is its own anchor, or another signer has the CA.',
    );
  }
  const namespace = secretNamespace(ref, clusterResourceNamespace);
  const read = await readSecretCertificates(api, namespace, secret.name);
  const pem = read.known && read.value !== undefined ? topOf(read.value) : '';
  return pem === '' ? undefined : { pem, from: `Secret ${namespace}/${secret.name}` };
}

/** ca.crt, or the last certificate of the chain. */
function topOf({ chain, root }: { readonly chain: string; readonly root: string }): string {
  const last = chain.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)?.at(-1);
  return root !== '' || last === undefined ? root : `${last}\n`;
}

async function fromCsrs(api: Api, ref: IssuerRef): Promise<Anchors | undefined> {
  const signerName = formatSignerName(ref);
  const signed = (await listCsrs(api)).filter(
    ({ metadata, spec }) => spec.signerName === signerName && metadata.annotations?.[CA],
  );
  const newest = signed.toSorted(
    (a, b) => Date.parse(b.metadata.creationTimestamp ?? '') - Date.parse(a.metadata.creationTimestamp ?? ''),
  )[0];
  if (newest === undefined) return undefined;
  const pem = Buffer.from(newest.metadata.annotations?.[CA] ?? '', 'base64').toString();
  return { pem, from: `CertificateSigningRequest ${newest.metadata.name}` };
}
