// Writes a decision, unless the CSR changed since it was read. The only file that approves or denies.

import { csrPath } from '@countersign/common/csr.ts';
import { CliError } from '../cli-error.ts';
import type { Api } from '../cluster/api.ts';
import { ApiError } from '../cluster/api-error.ts';
import type { Csr } from '../cluster/csr.ts';
import { EXIT } from '../exit-code.ts';
import { safeText } from '../terminal/safe-text.ts';
import { type Verdict, withVerdict } from './verdict.ts';

/** The API server compares the resourceVersion (409). */
export async function writeVerdict(api: Api, csr: Csr, verdict: Verdict, message: string): Promise<void> {
  const { name } = csr.metadata;
  const body = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    ...withVerdict(csr, verdict, message, new Date()),
  };
  try {
    await api.send({ method: 'PUT', path: `${csrPath(name)}/approval`, body });
  } catch (error) {
    throw error instanceof ApiError ? explainRefusal(error, name, verdict) : error;
  }
}

function explainRefusal(error: ApiError, name: string, { verb }: Verdict): CliError {
  const what = `cannot ${verb} ${safeText(name)}`;
  if (error.isConflict) {
    const advice = 'Nothing was decided. Run the command again, and check the content again.';
    return new CliError(`${what}: it changed after it was shown`, advice, { code: EXIT.unconfirmed, cause: error });
  }
  if (error.isMissing) {
    const advice = 'Nothing was decided: it was deleted after it was shown.';
    return new CliError(`${what}: it does not exist anymore`, advice, { code: EXIT.unconfirmed, cause: error });
  }
  if (!error.isForbidden) return error;
  const advice = 'An approver needs the verb approve on the signer name (docs/clients.md, the right to approve).';
  return new CliError(`${what}: ${error.said}`, advice, { cause: error });
}
