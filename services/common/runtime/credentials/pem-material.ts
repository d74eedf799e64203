// Reads certificates and private keys in PEM from files of the operator, for TLS. For an invalid file, the error says
// what it contains and what to do; it names the file, and never repeats content.

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { explainContent, type Wanted } from '../../file-content.ts';
import { explainFileError } from '../configuration-error.ts';

/** The bytes of the file that a flag names, one character each, so that binary content is preserved. */
export async function readPemFile(path: string, flag: string): Promise<string> {
  try {
    return await readFile(path, 'latin1');
  } catch (error) {
    throw explainFileError(error, `${flag}: ${path}`) ?? error;
  }
}

/** The first certificate of a PEM. `name` is the file or the field that contains it. */
export function readCertificate(pem: string, name: string): X509Certificate {
  return read(() => new X509Certificate(requirePem(pem)), { pem, name, wanted: 'certificate' });
}

export function readPrivateKey(pem: string, name: string): KeyObject {
  return read(() => createPrivateKey(requirePem(pem)), { pem, name, wanted: 'private key' });
}

/**
 * All certificates of a PEM, at least one. OpenSSL skips what it cannot read, and would then trust fewer than the
 * file has.
 */
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

/**
 * Node also reads a certificate in DER; TLS does not. OpenSSL ignores what precedes a block, except a byte order mark.
 */
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
    // OpenSSL's error is about its internals and does not help users.
    const why = explainContent(Buffer.from(pem, 'latin1'), wanted) ?? `no valid ${wanted} in PEM found`;
    throw new Error(`${name}: ${why}`, { cause });
  }
}
