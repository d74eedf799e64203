// Checks that a certificate can encode the URLs in an issuer spec.

import { formatRef } from '@countersign/common/signer-name.ts';
import { type IssuerUrls, isAscii } from '../issuance/profile.ts';
import type { ObservedSecret } from '../secret.ts';
import type { Wait } from '../verdict.ts';
import type { IssuanceRequest } from './issuer-type.ts';

/**
 * The request waits until the issuer is fixed, since its requester cannot fix it. Returns undefined if all URLs
 * are valid.
 */
export function waitForUrls({ ref }: IssuanceRequest, urls: IssuerUrls, secret: ObservedSecret): Wait | undefined {
  const { crlDistributionPoints, ocspServers, issuingCertificateUrls } = urls;
  const url = [...crlDistributionPoints, ...ocspServers, ...issuingCertificateUrls].find(each => !isAscii(each));
  if (url === undefined) return undefined;
  // A URL may contain a password, so only its field is named.
  const message = `Referenced ${ref.kind} ${formatRef(ref)} has a URL in ${fieldOf(urls, url)} (${url.length} characters) that is not printable ASCII: remove line breaks, percent-encode other characters, and write the host in Punycode`;
  return { kind: 'wait', reason: 'IssuerNotReady', message, secret };
}

/** Returns the field of the issuer spec that contains the URL. */
function fieldOf({ crlDistributionPoints, ocspServers }: IssuerUrls, url: string): string {
  if (crlDistributionPoints.includes(url)) return 'crlDistributionPoints';
  return ocspServers.includes(url) ? 'ocspServers' : 'issuingCertificateURLs';
}
