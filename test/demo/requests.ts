// What an administrator does with each CSR of the demo.

import type { Narrator } from './narrator.ts';

interface Deps {
  readonly narrator: Pick<Narrator, 'run' | 'shell'>;
}

/** Writes the certificate to `<name>.crt`. */
export async function approveAndFetch({ narrator }: Deps, name: string): Promise<void> {
  await narrator.run(['kubectl', 'certificate', 'approve', name]);
  await narrator.run(['kubectl', 'get', 'csr', name], { within: 10, prints: ['Approved,Issued'] });
  const get = `kubectl get csr ${name} -o jsonpath='{.status.certificate}'`;
  await narrator.shell(`${get} | openssl base64 -d -A > ${name}.crt`);
}
