// The reasons that only a PodCertificateRequest has: outcome, event type, exact text and a line of documentation.
// kubelet shows the message of a denial, hence toKubeletText. Decides nothing. Pure.

import { formatIssuer } from '../reasons/own-reasons.ts';
import { warning } from '../reasons/reason-entry.ts';
import type { SignerRef } from '../signer-name.ts';
import { quoteForKubelet, toKubeletText } from './kubelet-text.ts';

/** As many as fit into an event. */
const MAX_SHOWN = 5;

function list(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  const more = names.length - MAX_SHOWN;
  return names.slice(0, MAX_SHOWN).map(quoteForKubelet).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** They follow from the immutable spec, so only a new pod helps. The first and the last reason are Kubernetes' own. */
const denials = {
  InvalidUnverifiedUserAnnotations: warning('deny', toKubeletText, {
    meaning: 'The `userAnnotations` of the podCertificate source have an unknown key or a malformed value.',
    action: 'Correct what the message names in the pod template, and replace the pod.',
  }),
  UnsupportedKeyType: warning(
    'deny',
    () =>
      'The key of stubPKCS10Request is of an unsupported type: set keyType of the podCertificate source to ECDSAP256, ECDSAP384, ECDSAP521, ED25519, RSA3072 or RSA4096',
    {
      meaning: 'Countersign does not know the key type of the request.',
      action: 'Set a `keyType` that the message lists in the podCertificate source, and replace the pod.',
    },
  ),
};

/** An administrator can fix the cause. A denial would be final for the pod, so the request stays pending. */
const waits = {
  InvalidStubRequest: warning('wait', (problem: string) => toKubeletText(`stubPKCS10Request ${problem}`), {
    meaning:
      'The PKCS#10 request of the kubelet has a subject, attributes or extensions, or cannot be read. The kubelet of Kubernetes 1.37 sends only a key.',
    action:
      'Upgrade Countersign if the node runs a newer kubelet. The request, or the next one of the kubelet, is then signed.',
  }),
  IssuerTypeUnsupported: warning(
    'wait',
    (ref: SignerRef, type: string) => `${formatIssuer(ref)} is of type ${type}, which cannot sign requests of pods`,
    { meaning: 'Issuers of this type cannot sign requests of pods.', action: 'Use an issuer of the type `ca`.' },
  ),
  InvalidIssuerAnnotation: warning('wait', (ref: SignerRef, problem: string) => `${formatIssuer(ref)}: ${problem}`, {
    meaning: 'An annotation `pods.countersign.io/*` of the issuer is malformed, so nothing is issued to pods.',
    action: 'Correct the annotation. The request is then signed.',
  }),
  NameNotAllowed: warning(
    'wait',
    (ref: SignerRef, names: readonly string[], patterns: readonly string[]) =>
      `${formatIssuer(ref)} does not allow this pod the DNS names ${list(names)}; allowed: ${list(patterns)}`,
    {
      meaning:
        'The pod requests DNS names that the issuer does not allow (annotation `pods.countersign.io/allowed-dns-names`).',
      action: 'Add a pattern to the annotation of the issuer, or request other names in the pod template.',
    },
  ),
  CaEndsTooSoon: warning('wait', (problem: string) => problem, {
    meaning: 'The CA expires in less than 70 minutes; the certificate of a pod must be valid for at least an hour.',
    action: 'Renew the CA. The request is signed once the Secret has the new one.',
  }),
};

export const podReasons = { ...denials, ...waits };

export type PodReason = keyof typeof podReasons;
