// The files that a request leaves: key, certificate with its chain, and CA. Decides their content; writes nothing.

import { X509Certificate } from 'node:crypto';
import { CA } from '@countersign/common/annotations.ts';
import { CliError } from '../cli-error.ts';
import type { Csr } from '../cluster/csr.ts';
import type { OutputFile } from '../files/output-files.ts';
import { safeText } from '../terminal/safe-text.ts';

export interface ResultPaths {
  readonly key: string;
  readonly certificate: string;
  readonly ca: string;
}

export function resultPaths(prefix: string): ResultPaths {
  return { key: `${prefix}.key`, certificate: `${prefix}.crt`, ca: `${prefix}.ca.crt` };
}

/** Throws for a certificate of another key: nothing of it is written. */
export function resultFiles({ metadata, status }: Csr, spki: Buffer, paths: ResultPaths): readonly OutputFile[] {
  const chain = decode(status?.certificate ?? '');
  const key = new X509Certificate(chain).publicKey.export({ type: 'spki', format: 'der' });
  if (!key.equals(spki)) {
    throw new CliError(
      `the certificate of ${safeText(metadata.name)} has another public key`,
      'Nothing was written. Report this to the operator of the signer.',
    );
  }
  const ca = decode(metadata.annotations?.[CA] ?? '');
  return [
    { path: paths.certificate, content: chain, mode: 0o644 },
    ...(ca === '' ? [] : [{ path: paths.ca, content: ca, mode: 0o644 } as const]),
  ];
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString();
}
