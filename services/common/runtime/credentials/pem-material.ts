// Certificates and private keys in PEM as TLS wants them, from files that an operator gives: a file that is none says what it is
// and what to do. Errors name the file, and never repeat a part of it.

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { explainContent, type Wanted } from '../../file-content.ts';

/** The bytes of a file, one character each, so that what is no text stays what it is. */
export async function readPemFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'latin1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EISDIR') throw error;
    throw new Error(`${path} is a directory: specify the path of a file`, { cause: error });
  }
}

/** The first certificate of a PEM. `name` is the file, or what else holds it. */
export function readCertificate(pem: string, name: string): X509Certificate {
  return read(() => new X509Certificate(requirePem(pem)), { pem, name, wanted: 'certificate' });
}

export function readPrivateKey(pem: string, name: string): KeyObject {
  return read(() => createPrivateKey(requirePem(pem)), { pem, name, wanted: 'private key' });
}

/** All certificates of a PEM, at least one. OpenSSL skips what it cannot read, and would then trust fewer than the file says. */
export function readCertificates(pem: string, name: string): readonly X509Certificate[] {
  return read(
    () => {
      const blocks = requirePem(pem).match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
      if (blocks.length === 0) throw new Error('no CERTIFICATE block');
      return blocks.map(block => new X509Certificate(block));
    },
    { pem, name, wanted: 'certificate' },
  );
}

/** Node also reads a certificate in DER; TLS does not. OpenSSL passes over what is in front of a block, but for a byte order mark. */
function requirePem(pem: string): string {
  if (pem.startsWith('\u00ef\u00bb\u00bf') || !pem.includes('-----BEGIN ')) throw new Error('no PEM');
  return pem;
}

function read<T>(
  make: () => T,
  { pem, name, wanted }: { readonly pem: string; readonly name: string; readonly wanted: Wanted },
): T {
  try {
    return make();
  } catch (cause) {
    // What OpenSSL says is about its internals, and tells a user nothing.
    const why = explainContent(Buffer.from(pem, 'latin1'), wanted) ?? `no valid ${wanted} in PEM found`;
    throw new Error(`${name}: ${why}`, { cause });
  }
}
