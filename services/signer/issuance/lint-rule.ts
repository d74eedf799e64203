// A lint rule: a name, its source, and a pure check of a certificate's bytes.

import type { PreparedCertificate } from './prepare.ts';
import type { TbsCertificate } from './tbs-certificate.ts';

export interface LintRule {
  /** The part of the certificate that the rule checks. */
  readonly name: string;
  /** The source of the rule, e.g. `RFC 5280 4.1.2.2`. */
  readonly citation: string;
  /** Returns the problem as a phrase that follows the rule's name; undefined if there is none. */
  readonly check: (certificate: TbsCertificate, prepared: PreparedCertificate) => string | undefined;
}
