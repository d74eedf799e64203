// Example messages of the reasons of delegation, for docs/reasons.md.

import { delegationReasons as reasons } from '@countersign/common/reasons/delegation-reasons.ts';

const PLACE = '<namespace>/<name>';
const ERROR = '<error>';

/** A missing reason does not compile. */
export const DELEGATION_TEXTS: Readonly<Record<keyof typeof reasons, readonly string[]>> = {
  OrderPending: [
    reasons.OrderPending.message('Waiting on certificate issuance from order <namespace>/<name>: "pending"'),
  ],
  OrderFailed: [
    reasons.OrderFailed.message(
      'Failed to wait for order resource "<name>" to become ready: order is in "errored" state: <error>',
    ),
  ],
  InvalidOrder: [
    reasons.InvalidOrder.message(
      'The CSR PEM requests a commonName that is not present in the list of dnsNames or ipAddresses. <details>',
    ),
  ],
  IssuancePending: [reasons.IssuancePending.message('certificate is requested')],
  ErrorRequest: [reasons.ErrorRequest.message(`Failed to request certificate from Certificate Manager: ${ERROR}`)],
  CertificateRequestPending: [reasons.CertificateRequestPending.message(PLACE, 'not approved yet')],
  CertificateRequestNotApproved: [
    reasons.CertificateRequestNotApproved.message(PLACE, 'issuers.cert-manager.io/<namespace>.<issuer>'),
    reasons.CertificateRequestNotApproved.message(PLACE, '<plural>.<group>/<namespace>.<issuer>', true),
    reasons.CertificateRequestNotApproved.refused(PLACE, ERROR),
  ],
  CertificateRequestUnanswered: [
    reasons.CertificateRequestUnanswered.message(PLACE, '<kind> <namespace>/<name>', '<group>'),
  ],
  CertificateRequestDenied: [reasons.CertificateRequestDenied.message(PLACE, ERROR)],
  CertificateRequestInvalid: [reasons.CertificateRequestInvalid.message(PLACE, ERROR)],
  CertificateRequestFailed: [reasons.CertificateRequestFailed.message(PLACE, ERROR)],
  CertificateRequestNotServed: [reasons.CertificateRequestNotServed.message()],
  CertificateRequestNotCreated: [reasons.CertificateRequestNotCreated.message(PLACE, ERROR)],
  CertificateRequestForged: [reasons.CertificateRequestForged.message(PLACE, 'spec.username differs')],
};
