// A refusal of the API server (metav1.Status) as an error for the user: what was refused, and what to do.
// Sends nothing.

import { parseStatus, type Status } from '@countersign/common/runtime/kube/kube-errors.ts';
import { shorten } from '@countersign/common/short-text.ts';
import { CliError } from '../cli-error.ts';

export class ApiError extends CliError {
  readonly status: number;
  /** The message of the API server alone. */
  readonly said: string;
  readonly reason: string;

  constructor(
    status: number,
    { message, reason }: Pick<Status, 'message' | 'reason'>,
    { where, advice }: { where: string; advice: string },
  ) {
    super(`${where}: ${message || `the API server responded with status ${status}`}`, advice);
    this.status = status;
    this.said = message ?? '';
    this.reason = reason ?? '';
  }

  /** The object does not exist; without this reason, a proxy or a missing API responds with 404. */
  get isMissing(): boolean {
    return this.status === 404 && this.reason === 'NotFound';
  }

  get isForbidden(): boolean {
    return this.status === 403;
  }

  get isConflict(): boolean {
    return this.status === 409 && this.reason === 'Conflict';
  }

  /** A webhook or an admission policy refused the object, not RBAC. */
  get isAdmission(): boolean {
    return /admission webhook|ValidatingAdmissionPolicy/.test(this.said);
  }
}

const ADVICE: ReadonlyMap<number, string> = new Map([
  [401, 'Log in again, or check the credentials of the context in the kubeconfig.'],
  [403, 'Ask an administrator for the permission that the message names, or act as another user with --as.'],
  [404, 'Check the name, and the context with `kubectl config current-context`.'],
  [409, 'Run the command again: the object was changed or created in the meantime.'],
  [422, 'Correct what the message names.'],
  [429, 'Try again later: the API server is overloaded.'],
]);

const ADMISSION_ADVICE = 'Correct what the message names. docs/reasons.md explains the reason in parentheses.';

/** `body` is a Status, or the page of a proxy. */
export function toApiError(
  call: { readonly method: string; readonly path: string },
  code: number,
  body: string,
): ApiError {
  const status = parseStatus(body) ?? { message: shorten(body, 200) };
  const where = `${call.method} ${call.path.split('?', 1)[0]}`;
  const advice =
    ADVICE.get(code) ?? (code >= 500 ? 'Try again; the API server or a webhook failed.' : 'Check the command.');
  const error = new ApiError(code, status, { where, advice });
  return error.isAdmission ? new ApiError(code, status, { where, advice: ADMISSION_ADVICE }) : error;
}
