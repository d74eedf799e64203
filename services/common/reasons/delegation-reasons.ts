// The reasons of requests whose certificate cert-manager issues, for a CertificateRequest that Countersign creates.
// Those of ACME and Venafi issuers are cert-manager's reasons for CSRs, with its messages. Decides nothing.

import { normal, warning } from './reason-entry.ts';

const asSent = (message: string) => message;
const BY_CERT_MANAGER = '; that of cert-manager needs the signer name in its chart value approveSignerNames';

export const delegationReasons = {
  OrderPending: normal('wait', asSent, {
    meaning: 'The issuer is of type ACME, and its Order is not complete. The message is from cert-manager.',
    action: 'None. If it takes long, look at the Order and its Challenges (`kubectl describe challenges -A`).',
  }),
  OrderFailed: warning('fail', asSent, {
    meaning: 'The ACME server rejected the Order, or a Challenge failed. The message is from cert-manager.',
    action: 'Fix what the message says, then create a new CSR.',
  }),
  InvalidOrder: warning('fail', asSent, {
    meaning: 'The common name of the request is not among its DNS names or IP addresses, as ACME requires.',
    action: 'Create a new CSR without a common name, or with the name as a DNS name too.',
  }),
  IssuancePending: normal('wait', asSent, {
    meaning: 'The issuer is of type Venafi, and the certificate is not issued yet. The message is from cert-manager.',
    action: 'None.',
  }),
  ErrorRequest: warning('fail', asSent, {
    meaning: 'Venafi refused to issue the certificate. The message is from cert-manager.',
    action: 'Fix what the message says, then create a new CSR.',
  }),
  CertificateRequestPending: normal(
    'wait',
    (place: string, message: string) => `Waiting for CertificateRequest ${place}: ${message}`,
    {
      meaning: 'The issuer has not issued the certificate yet.',
      action: 'None. If it takes long, look at the CertificateRequest (`kubectl describe certificaterequest`).',
    },
  ),
  CertificateRequestNotApproved: {
    ...warning(
      'wait',
      (place: string, signer: string, isExternal = false) =>
        `CertificateRequest ${place} is neither approved nor denied: approve it with "cmctl approve", or allow an approver the verb "approve" on signers.cert-manager.io "${signer}"${isExternal ? BY_CERT_MANAGER : ''}`,
      {
        meaning:
          'No approver has decided on the CertificateRequest. With approver-policy, a CertificateRequestPolicy must be bound to the ServiceAccount of the signer, which created it. The approver of cert-manager decides about external issuers only where its chart value `approveSignerNames` names them.',
        action:
          'Approve the CertificateRequest, or configure the approver of the cluster. If it cannot be approved because its signer resource does not exist, check `delegation.externalIssuers`, and that the CustomResourceDefinition is installed.',
      },
    ),
    /** For delegation.approve. */
    refused: (place: string, problem: string) => `CertificateRequest ${place} cannot be approved: ${problem}`,
  },
  CertificateRequestUnanswered: warning(
    'wait',
    (place: string, issuer: string, group: string) =>
      `No controller has answered CertificateRequest ${place} since its approval: check that the controller for issuers of ${group} is running, and that ${issuer} exists`,
    {
      meaning:
        'The CertificateRequest has been approved for 30 seconds, and has no Ready condition. Countersign does not read external issuers, so a missing issuer can be the cause.',
      action: 'Start the controller, or create the issuer. The CSR then continues.',
    },
  ),
  CertificateRequestDenied: warning(
    'fail',
    (place: string, message: string) => `CertificateRequest ${place} was denied: ${message}`,
    {
      meaning: 'An approver of CertificateRequests denied the request.',
      action: 'Create a new CSR that the approver allows.',
    },
  ),
  CertificateRequestInvalid: warning(
    'fail',
    (place: string, message: string) => `CertificateRequest ${place} is invalid: ${message}`,
    {
      meaning:
        'The webhook of cert-manager or the issuer rejects the request itself, for example usages that contradict the PKCS#10.',
      action: 'Fix what the message says, then create a new CSR.',
    },
  ),
  CertificateRequestFailed: warning(
    'fail',
    (place: string, message: string) => `CertificateRequest ${place} failed: ${message}`,
    {
      meaning: 'The issuer could not issue the certificate.',
      action: 'Fix what the message says, then create a new CSR.',
    },
  ),
  CertificateRequestNotServed: warning(
    'wait',
    () => 'The API server has no CertificateRequests (cert-manager.io/v1), with which issuers of this type sign',
    {
      meaning: 'Delegation is enabled, and cert-manager is not installed.',
      action: 'Install cert-manager. The CSR then continues.',
    },
  ),
  CertificateRequestNotCreated: warning(
    'wait',
    (place: string, problem: string) => `Cannot create CertificateRequest ${place}: ${problem}`,
    {
      meaning:
        'The API server or a webhook refuses the CertificateRequest, the webhook of cert-manager is down, or the namespace is missing.',
      action: 'Fix what the message says. The signer retries.',
    },
  ),
  CertificateRequestForged: warning(
    'wait',
    (place: string, difference: string) =>
      `CertificateRequest ${place} exists, but Countersign did not create it like this (${difference}), so it is not used: find out who created it, and delete it`,
    {
      meaning:
        'A user created a CertificateRequest with the name that Countersign needs, or changed the owner of one that Countersign created. It is never used. The signer uses another name, up to five times.',
      action: 'Find out who created it, and delete it.',
    },
  ),
};
