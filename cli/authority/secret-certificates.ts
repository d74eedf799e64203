// Reads the certificates in the Secret of a CA issuer. Keeps nothing of its private key.

import { readSecret } from '@countersign/common/runtime/kube/read-secret.ts';
import type { Api } from '../cluster/api.ts';
import { type Known, unlessForbidden } from '../cluster/known.ts';

export interface SecretCertificates {
  /** PEM in tls.crt: the signing certificate, then those above it. */
  readonly chain: string;
  /** PEM in ca.crt. */
  readonly root: string;
}

/** Undefined if the Secret does not exist. */
export function readSecretCertificates(
  api: Api,
  namespace: string,
  name: string,
): Promise<Known<SecretCertificates | undefined>> {
  return unlessForbidden(read(api, namespace, name), `get secrets in the namespace ${namespace}`);
}

async function read(api: Api, namespace: string, name: string): Promise<SecretCertificates | undefined> {
  const secret = await readSecret(api, { namespace, name });
  const decode = (key: string) => Buffer.from(secret?.data?.[key] ?? '', 'base64').toString();
  return secret === undefined ? undefined : { chain: decode('tls.crt'), root: decode('ca.crt') };
}
