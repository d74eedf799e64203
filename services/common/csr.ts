// The CertificateSigningRequest (certificates.k8s.io/v1) as the services read it, with predicates on its status. Plain
// JSON, as the API server sends it; never changes an object.

/** The fields of metav1.ObjectMeta that are read. Times are RFC 3339 text, as in the API. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A status condition, of a CSR (certificates.k8s.io/v1) or of an Issuer (cert-manager.io/v1). */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
  readonly lastUpdateTime?: string;
  readonly observedGeneration?: number;
}

/** The user who created the CSR: set by the API server, never by the requester (CertificateSigningRequestSpec). */
export interface Requester {
  readonly username?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** certificates.k8s.io/v1 CertificateSigningRequestSpec; `request` is the base64 of the PEM of a PKCS#10 request. */
export interface CertificateSigningRequestSpec extends Requester {
  readonly signerName: string;
  readonly request: string;
  readonly usages?: readonly string[];
  /** Seconds; the API server rejects less than 600. */
  readonly expirationSeconds?: number;
}

/** certificates.k8s.io/v1 CertificateSigningRequestStatus. */
export interface CsrStatus {
  readonly conditions?: readonly Condition[];
  /** Base64 of the PEM chain, leaf first. Can be set only once. */
  readonly certificate?: string;
}

export interface CertificateSigningRequest {
  readonly metadata: ObjectMeta;
  readonly spec: CertificateSigningRequestSpec;
  readonly status?: CsrStatus;
}

/** Path of the collection of CSRs in the API. */
export const CSR_PATH = '/apis/certificates.k8s.io/v1/certificatesigningrequests';

/**
 * Path of a CSR in the API. Its name may contain any character except `/` and `%` (the API server's
 * ValidatePathSegmentName), including `?`.
 */
export function csrPath(name: string): string {
  return `${CSR_PATH}/${encodeURIComponent(name)}`;
}

/** What identifies an object and its version. */
export function keepIdentity({ name, namespace, uid, resourceVersion }: ObjectMeta): ObjectMeta {
  return {
    name,
    ...(namespace !== undefined && { namespace }),
    ...(uid !== undefined && { uid }),
    ...(resourceVersion !== undefined && { resourceVersion }),
  };
}

function findCondition(csr: Pick<CertificateSigningRequest, 'status'>, type: string): Condition | undefined {
  return csr.status?.conditions?.find(condition => condition.type === type);
}

function hasCondition(csr: CertificateSigningRequest, type: string): boolean {
  return findCondition(csr, type) !== undefined;
}

/** The API server allows only status "True" for these three types, so the type alone decides. */
export function isApproved(csr: CertificateSigningRequest): boolean {
  return hasCondition(csr, 'Approved');
}

export function isDenied(csr: CertificateSigningRequest): boolean {
  return hasCondition(csr, 'Denied');
}

export function isFailed(csr: CertificateSigningRequest): boolean {
  return hasCondition(csr, 'Failed');
}

/** The Failed condition; its reason and message give the cause. */
export function findFailure(csr: Pick<CertificateSigningRequest, 'status'>): Condition | undefined {
  return findCondition(csr, 'Failed');
}

export function isIssued(csr: CertificateSigningRequest): boolean {
  return Boolean(csr.status?.certificate);
}

/** A time as the API server stores it: RFC 3339 in whole seconds (metav1.Time). */
export function formatTime(time: Date): string {
  return `${time.toISOString().slice(0, -'.000Z'.length)}Z`;
}
