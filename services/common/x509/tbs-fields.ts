// The fields of a TBSCertificate (RFC 5280 section 4.1) of version 3 without unique identifiers, the only form issued
// here. Pure.

import { contextTag, TAG } from './der.ts';

/** Version, serial number, algorithm, issuer, validity, subject, key, extensions. */
export const TBS_FIELDS = [
  contextTag(0, 'constructed'),
  TAG.integer,
  TAG.sequence,
  TAG.sequence,
  TAG.sequence,
  TAG.sequence,
  TAG.sequence,
  contextTag(3, 'constructed'),
] as const;
