// What issuers of type ACME and Venafi can never issue, as far as the request alone shows it: the remote would refuse
// it after the approval. Pure.

import { type JudgedName, judgedNames } from '../approval/request/judged-names.ts';
import { shorten } from '../short-text.ts';

/** The parts of a PKCS#10 request that these rules check. */
export interface NamedRequest {
  /** The DER of the Name. */
  readonly subject: Buffer;
  readonly hasEmptySubject: boolean;
  /** The value of the extension. */
  readonly subjectAltName?: Buffer | undefined;
}

/** Maximum length of a message that repeats what the requester wrote. */
const MAX_TEXT = 2_000;

/** The message of cert-manager's InvalidOrder; undefined if an Order can be created. */
export function findAcmeProblem({ subject, subjectAltName }: NamedRequest): string | undefined {
  const names = judgedNames(subject, subjectAltName);
  // Go keeps the last of several.
  const commonName = valuesOf(names, 'commonName').at(-1) ?? '';
  const [dnsNames, addresses] = [valuesOf(names, 'dnsNames'), valuesOf(names, 'ipAddresses')];
  if (commonName === '' || dnsNames.includes(commonName) || addresses.includes(commonName)) return undefined;
  const where = `${JSON.stringify(commonName)} does not exist in [${dnsNames.join(' ')}] or [${addresses.join(' ')}]`;
  return shorten(
    `The CSR PEM requests a commonName that is not present in the list of dnsNames or ipAddresses. If a commonName is set, ACME requires that the value is also present in the list of dnsNames or ipAddresses: ${where}`,
    MAX_TEXT,
  );
}

function valuesOf(names: readonly JudgedName[], field: string): readonly string[] {
  return names.filter(name => name.field === field).map(({ value }) => value);
}

/** Undefined if the request has a subject. */
export function findVenafiProblem({ hasEmptySubject }: NamedRequest): string | undefined {
  return hasEmptySubject ? 'the request has no subject: set a common name or another field of it' : undefined;
}
