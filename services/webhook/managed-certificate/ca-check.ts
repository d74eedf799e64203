// Checks whether the CAs in the Secret are usable: well-formed, currently valid, and able to sign, which a test
// signature proves. Reads and writes nothing in the cluster.

import { err, ok, type Result } from '@countersign/common/result.ts';
import { type CaState, decodeState, PROPAGATION_MS } from './ca-state.ts';
import { issueServingCertificate } from './certificate-authority.ts';
import type { CertificateAuthority } from './own-authority.ts';
import { hasExpired, startsAfter } from './validity.ts';

/** How far the API server's clock may be behind this one. createAuthority backdates by as much. */
const MAX_SKEW_MS = 300_000;

/** A CA that expires sooner cannot be rotated in time, since its successor has to be published first. */
const HAND_OVER_MS = PROPAGATION_MS + 15_000;

/** Not the webhook's own names: if these cannot be encoded in a certificate, no other CA would help. */
const PROBE = { names: ['countersign'], lifetimeMs: 1000 };

/** `proven`: certificates of CAs that have signed before. The error describes why the Secret has no usable CA. */
export async function checkState(
  data: Readonly<Record<string, string>> | undefined,
  { now, proven }: { readonly now: Date; readonly proven: readonly string[] },
): Promise<Result<CaState>> {
  const state = decodeState(data);
  if (!state.ok) return state;
  const { next, nextPublishedAt: _, ...rest } = state.value;
  const fault = await findFault(rest.current, now, proven);
  if (fault !== undefined) return err(fault);
  const canFollow = next === undefined || (await findFault(next, now, proven)) === undefined;
  return canFollow ? state : ok(rest);
}

async function findFault(ca: CertificateAuthority, now: Date, proven: readonly string[]): Promise<string | undefined> {
  // Waiting for a successor does not help: the API server rejects this CA already, or will before it learns of another.
  if (hasExpired(ca.certPem, new Date(now.getTime() + HAND_OVER_MS))) return 'its CA expired, or expires within 75 s';
  if (startsAfter(ca.certPem, new Date(now.getTime() + MAX_SKEW_MS))) return 'its CA is not valid yet';
  return proven.includes(ca.certPem) ? undefined : trySigning(ca, now);
}

async function trySigning(ca: CertificateAuthority, now: Date): Promise<string | undefined> {
  try {
    await issueServingCertificate(ca, PROBE.names, { now, lifetimeMs: PROBE.lifetimeMs });
    return undefined;
  } catch (error) {
    return `its CA cannot sign a certificate: ${error instanceof Error ? error.message : String(error)}`;
  }
}
