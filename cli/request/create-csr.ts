// Creates the CSR of `request`. The only file of the command that creates an object.

import { CSR_PATH } from '@countersign/common/csr.ts';
import { CliError } from '../cli-error.ts';
import type { Answer, Api } from '../cluster/api.ts';
import { ApiError } from '../cluster/api-error.ts';
import { type Csr } from '../cluster/csr.ts';
import { safeText } from '../terminal/safe-text.ts';
import type { Order } from './order.ts';

export async function createCsr(api: Api, order: Order, request: string, isDryRun: boolean): Promise<Answer<Csr>> {
  const { name, annotations, signerName, usages } = order;
  const body = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name, ...(Object.keys(annotations).length > 0 && { annotations }) },
    spec: { signerName, request, usages },
  };
  try {
    return await api.send<Csr>({ method: 'POST', path: `${CSR_PATH}${isDryRun ? '?dryRun=All' : ''}`, body });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.reason === 'AlreadyExists') {
      throw new CliError(
        `a CSR named ${safeText(name)} exists already`,
        'Choose another name, or delete it with kubectl delete csr.',
        { cause: error },
      );
    }
    throw new CliError(`the API server refuses the CSR ${safeText(name)}: ${error.said}`, error.advice, {
      cause: error,
    });
  }
}
