// The steps from a CSR to a linted certificate that all issuer types take which hold their key here: judge the request's
// shape, make the profile, encode it, lint it. Pure; the signature comes later and elsewhere.

import { parsePkcs10 } from '@countersign/common/pkcs10.ts';
import { err, ok, type Result } from '@countersign/common/result.ts';
import { requestedDuration, validateRequest } from '@countersign/common/validate-request.ts';
