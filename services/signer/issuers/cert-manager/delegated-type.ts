// The issuer types whose certificates cert-manager can issue for Countersign: a type only.

import type { IssuerType } from '@countersign/common/issuers/issuer-types.ts';

export type DelegatedType = Extract<IssuerType, 'acme' | 'venafi' | 'vault' | 'external'>;
