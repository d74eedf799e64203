// The shape of an entry in the tables of reasons: outcome, event type, message and documentation. Has no reason itself.

/**
 * What happens to a CSR with this reason; `ready` is about an issuer. `stuck`: the CSR stays pending and is
 * never signed. `decided`: a policy approved or denied it.
 */
export type Outcome = 'wait' | 'fail' | 'retry' | 'issue' | 'deny' | 'stuck' | 'ready' | 'decided';

/** Where users see a reason; names with underscores are metrics. */
export type Place =
  | 'Approved condition'
  | 'Denied condition'
  | 'Failed condition'
  | 'Ready condition'
  | 'event'
  | 'event on the pod'
  | 'refusal'
  | 'countersign_approvals_waiting'
  | 'countersign_requests_waiting'
  | 'countersign_certificates_total'
  | 'countersign_pod_requests_waiting'
  | 'countersign_pod_certificates_total'
  | 'countersign_webhook_admissions_total';

/** A row of docs/reasons.md. */
interface ReasonDoc {
  readonly meaning: string;
  readonly action: string;
  /** Defaults to the places of the outcome (tools/docs/generate-reasons.ts). */
  readonly shownIn?: readonly Place[];
}

type Text = (...values: never[]) => string;

/** `message` is the text of event and condition. */
export const normal = <Message extends Text>(outcome: Outcome, message: Message, doc: ReasonDoc) =>
  ({ outcome, eventType: 'Normal', message, doc }) as const;

export const warning = <Message extends Text>(outcome: Outcome, message: Message, doc: ReasonDoc) =>
  ({ outcome, eventType: 'Warning', message, doc }) as const;

/** Messages of cert-manager that several issuer types share. */
export const templateError = (error: string) => `Error generating certificate template: ${error}`;
export const signingError = (error: string) => `Error signing certificate: ${error}`;
export const updateError = (error: string) => `Error updating certificate: ${error}`;
