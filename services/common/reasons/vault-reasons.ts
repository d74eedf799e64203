// The reasons of a CSR for an issuer of type Vault that no other type has. ErrorVaultInit is cert-manager's; the others
// are where cert-manager fails the CSR. Decides nothing.

import { warning } from './reason-entry.ts';

export const vaultReasons = {
  ErrorVaultInit: warning('wait', (problem: string) => `Failed to initialise vault client for signing: ${problem}`, {
    meaning:
      'The signer cannot log in to the Vault server of the issuer: the server is unreachable or sealed, it refuses the credentials, or a Secret has no usable value.',
    action: 'Fix what the message says. The login is repeated when the Secret changes, and at least once a minute.',
  }),
  VaultUnavailable: warning(
    'wait',
    (problem: string) => `Vault cannot sign at the moment, the request is repeated: ${problem}`,
    {
      meaning:
        'The Vault server of the issuer was reached before, and now it is unreachable, sealed, overloaded or slow. cert-manager fails such a CSR.',
      action:
        'None if the server recovers: the request is repeated at least once a minute. Otherwise, check the server.',
    },
  ),
  VaultDenied: warning(
    'wait',
    (path: string, problem: string) =>
      `Vault does not let the issuer sign at ${path}: ${problem}; check spec.vault.path of the issuer, and that the policy of its token has the capability update on that path`,
    {
      meaning:
        'Vault refuses the issuer, not the request: its token may not use the path, or no secrets engine or role is there. cert-manager fails such a CSR.',
      action: 'Fix the policy in Vault or `spec.vault.path`. The CSR is signed once it is fixed.',
    },
  ),
};
