// Judges a prepared certificate before it is signed: its bytes are read again and held against the profile and RFC
// 5280. The only file that makes a LintedCertificate, and signing takes nothing else. Refuses what is malformed or not
// as decided, never what cert-manager would issue. Pure.

import { err, ok, type Result } from '@countersign/common/result.ts';
import { EXTENSION_RULES } from './lint-extension-rules.ts';
import { FIELD_RULES } from './lint-field-rules.ts';
import type { PreparedCertificate } from './prepare.ts';
import { parseTbsCertificate } from './tbs-certificate.ts';

declare const linted: unique symbol;

/** A prepared certificate in which lint found no fault. */
export type LintedCertificate = PreparedCertificate & { readonly [linted]: true };

export interface LintFinding {
  /** The part of the certificate, e.g. `serial`. */
  readonly rule: string;
  /** Where the rule comes from, e.g. `RFC 5280 4.1.2.2`. */
  readonly citation: string;
  /** What is wrong, in words that follow the rule's name. */
  readonly problem: string;
}

/** All findings at once; with none, the same certificate under the type that can be signed. */
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
