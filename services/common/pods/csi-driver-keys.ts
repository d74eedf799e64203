// The keys of cert-manager's csi-driver (pkg/apis/v1alpha1) that have no meaning in userAnnotations, and what replaces
// each: the volumeAttributes of a CSI volume are likely to be pasted. Pure.

export const CSI_PREFIX = 'csi.cert-manager.io/';

/** What to do instead, by the key without its prefix. */
const REPLACEMENTS: ReadonlyMap<string, string> = new Map([
  ['issuer-name', 'name the issuer in signerName of the podCertificate source'],
  ['issuer-kind', 'name the issuer in signerName of the podCertificate source'],
  ['issuer-group', 'name the issuer in signerName of the podCertificate source'],
  ['duration', 'set maxExpirationSeconds of the podCertificate source'],
  ['renew-before', 'remove it, kubelet renews the certificate after about two thirds of its lifetime'],
  ['reuse-private-key', 'remove it, kubelet makes a new key for each certificate'],
  ['key-algorithm', 'set keyType of the podCertificate source'],
  ['key-size', 'set keyType of the podCertificate source'],
  ['key-encoding', 'remove it, kubelet writes PKCS#8'],
  ['certificate-file', 'set certificateChainPath or credentialBundlePath of the podCertificate source'],
  ['privatekey-file', 'set keyPath or credentialBundlePath of the podCertificate source'],
  ['ca-file', 'add a clusterTrustBundle source'],
  ['fs-group', 'set fsGroup in the securityContext of the pod'],
  ['key-usages', 'remove it, the owner of the issuer sets the usages'],
  ['uri-sans', 'remove it, the certificate has the SPIFFE ID of the ServiceAccount as its only URI'],
  ['ip-sans', 'remove it, the pod has no IP address yet when the certificate is issued'],
  ['is-ca', 'remove it, a pod cannot have a CA certificate'],
]);

/** What replaces the key; undefined for one that csi-driver does not have, or that nothing replaces. */
export function findReplacement(key: string): string | undefined {
  return key.startsWith(CSI_PREFIX) ? REPLACEMENTS.get(key.slice(CSI_PREFIX.length)) : undefined;
}
