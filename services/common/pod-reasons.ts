// The reasons that only a PodCertificateRequest has: outcome, event type, exact text and a line of documentation. kubelet shows the
// message of a denial, hence toKubeletText. Decides nothing. Pure.

import { quoteForKubelet, toKubeletText } from './kubelet-text.ts';
import { warning } from './reason-entry.ts';
import { formatRef, type SignerRef } from './signer-name.ts';

const named = (ref: SignerRef) => (ref.kind === 'Issuer' ? `Issuer ${formatRef(ref)}` : `ClusterIssuer ${ref.name}`);

/** As many as fit into an event. */
const MAX_SHOWN = 5;

function list(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  const more = names.length - MAX_SHOWN;
  return names.slice(0, MAX_SHOWN).map(quoteForKubelet).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** They follow from the immutable spec, so only a new pod helps. The first and the last reason are Kubernetes' own. */
const denials = {
  InvalidUnverifiedUserAnnotations: warning(
    'deny',
    toKubeletText,
    'The `userAnnotations` of the podCertificate source have an unknown key or a malformed value; the message says which. Correct them in the pod template and replace the pod.',
  ),
  InvalidStubRequest: warning(
    'deny',
    (problem: string) => toKubeletText(`stubPKCS10Request ${problem}`),
    'The PKCS#10 request of the kubelet has a subject, attributes or extensions, or cannot be read. kubelet of Kubernetes 1.37 sends it with a key alone. Replace the pod, on a node with such a kubelet.',
  ),
  UnsupportedKeyType: warning(
    'deny',
    () =>
      'The key of stubPKCS10Request is of an unsupported type: set keyType of the podCertificate source to ECDSAP256, ECDSAP384, ECDSAP521, ED25519, RSA3072 or RSA4096',
    'The key of the request is of a type that cannot be in a certificate. Set another `keyType` in the podCertificate source and replace the pod.',
  ),
};

/** An administrator can fix the cause. A denial would be final for the pod, so the request stays pending. */
const waits = {
  IssuerTypeUnsupported: warning(
    'wait',
    (ref: SignerRef, type: string) => `${named(ref)} is of the type ${type}, which cannot issue certificates for pods`,
    'The issuer is of a type whose certificates are not made from the key of a pod. Use an issuer of the type `ca`.',
  ),
  InvalidIssuerAnnotation: warning(
    'wait',
    (ref: SignerRef, problem: string) => `${named(ref)}: ${problem}`,
    'An annotation `pods.countersign.io/*` of the issuer is malformed, so nothing is issued to pods. Correct it: the request is then signed.',
  ),
  NameNotAllowed: warning(
    'wait',
    (ref: SignerRef, names: readonly string[], patterns: readonly string[]) =>
      `${named(ref)} does not allow this pod the DNS names ${list(names)}; allowed: ${list(patterns)}`,
    'The pod asks for DNS names that the annotation `pods.countersign.io/allowed-dns-names` of the issuer does not allow. Add a pattern to it, or replace the pod with one that asks for other names.',
  ),
  CaEndsTooSoon: warning(
    'wait',
    (problem: string) => problem,
    'The CA expires in less than 70 minutes, but the certificate of a pod must be valid for at least an hour. Renew the CA: the request is signed as soon as the new CA is in the Secret.',
  ),
};

export const podReasons = { ...denials, ...waits };

export type PodReason = keyof typeof podReasons;
