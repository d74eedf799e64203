// Lints a prepared certificate before it is signed: parses its bytes again and compares them with the profile and RFC
// 5280. The only file that creates a LintedCertificate, the only type that can be signed. Rejects malformed or
// unintended content, never what cert-manager would issue. Pure.

import { err, ok, type Result } from '@countersign/common/result.ts';
import { EXTENSION_RULES } from './lint-extension-rules.ts';
import { FIELD_RULES } from './lint-field-rules.ts';
import type { PreparedCertificate } from './prepare.ts';
import { parseTbsCertificate } from './tbs-certificate.ts';

declare const linted: unique symbol;

/** A prepared certificate that passed lint. */
export type LintedCertificate = PreparedCertificate & { readonly [linted]: true };

export interface LintFinding {
  /** The part of the certificate, e.g. `serial`. */
  readonly rule: string;
  /** The source of the rule, e.g. `RFC 5280 4.1.2.2`. */
  readonly citation: string;
  /** The problem, as a phrase that follows the rule's name. */
  readonly problem: string;
}

/** Returns all findings at once; if there are none, the same certificate as a type that can be signed. */
export function lintCertificate(prepared: PreparedCertificate): Result<LintedCertificate, readonly LintFinding[]> {
  const certificate = parseTbsCertificate(prepared.tbs);
  if (!certificate.ok) return err([{ rule: 'certificate', citation: 'RFC 5280 4.1', problem: certificate.error }]);
  const findings: LintFinding[] = [];
  for (const { name, citation, check } of [...FIELD_RULES, ...EXTENSION_RULES]) {
    const problem = check(certificate.value, prepared);
    if (problem !== undefined) findings.push({ rule: name, citation, problem });
  }
  return findings.length > 0 ? err(findings) : ok(prepared as LintedCertificate);
}
