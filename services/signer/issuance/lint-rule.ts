// What a lint rule is: a name, where it comes from, and a pure check of what the bytes of a certificate say.

import type { PreparedCertificate } from './prepare.ts';
import type { TbsCertificate } from './tbs-certificate.ts';

export interface LintRule {
  /** The part of the certificate that the rule is about. */
  readonly name: string;
  /** Where the rule comes from, e.g. `RFC 5280 4.1.2.2`. */
  readonly citation: string;
  /** What is wrong with that part, in words that follow its name; undefined when nothing is. */
  readonly check: (certificate: TbsCertificate, prepared: PreparedCertificate) => string | undefined;
}
