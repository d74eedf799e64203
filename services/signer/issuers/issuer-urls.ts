// Holds the URLs that the spec of an issuer gives for its certificates to what a certificate can hold.

import { formatRef } from '@countersign/common/signer-name.ts';
import { type IssuerUrls, isAscii } from '../issuance/profile.ts';
import type { ObservedSecret } from '../secret.ts';
import type { IssuanceRequest, Wait } from './issuer-type.ts';

/** As with its Secret, no requester can help it: the request waits until the issuer is mended. Undefined for good URLs. */
export function waitForUrls({ ref }: IssuanceRequest, urls: IssuerUrls, secret: ObservedSecret): Wait | undefined {
  const { crlDistributionPoints, ocspServers, issuingCertificateUrls } = urls;
  const url = [...crlDistributionPoints, ...ocspServers, ...issuingCertificateUrls].find(each => !isAscii(each));
  if (url === undefined) return undefined;
  // A URL may carry a password: only its field is named.
  const message = `Referenced ${ref.kind} ${formatRef(ref)} has a URL in ${fieldOf(urls, url)} (${url.length} characters) that is not printable ASCII: remove line breaks, percent-encode other characters, and write the host in Punycode`;
  return { kind: 'wait', reason: 'IssuerNotReady', message, secret };
}

/** The field of the issuer's spec that has the URL. */
function fieldOf({ crlDistributionPoints, ocspServers }: IssuerUrls, url: string): string {
  if (crlDistributionPoints.includes(url)) return 'crlDistributionPoints';
  return ocspServers.includes(url) ? 'ocspServers' : 'issuingCertificateURLs';
}
