// Decodes AdmissionReview requests (admission.k8s.io/v1) and builds the responses. Only `allow` and `deny` create a
// response, from the request that it answers, so that the uid is always copied. Makes no decision about the
// request. Pure.

import { IMMUTABLE_ANNOTATIONS } from '@countersign/common/annotations.ts';
import type { CertificateSigningRequest, ObjectMeta, Requester } from '@countersign/common/csr.ts';
import type { FieldError } from '@countersign/common/field-error.ts';
import type { Reason } from '@countersign/common/reasons/reasons.ts';
import { err, ok, type Result } from '@countersign/common/result.ts';
import { shorten } from '@countersign/common/short-text.ts';
import {
  type Decoder,
  entriesOf,
  flag,
  identifier,
  integer,
  listOf,
  mapOf,
  object,
  oneOf,
  optional,
  text,
  withDefault,
} from './decode-json.ts';

const API_VERSION = 'admission.k8s.io/v1';
const KIND = 'AdmissionReview';

interface Envelope {
  readonly uid: string;
  readonly userInfo: Requester;
  readonly subResource?: string;
  readonly dryRun?: boolean;
}

/** The admission request. For DELETE and CONNECT, no object is decoded. */
export type AdmissionRequest = Envelope &
  (
    | { readonly operation: 'CREATE'; readonly object: CertificateSigningRequest }
    | {
        readonly operation: 'UPDATE';
        readonly object: CertificateSigningRequest;
        readonly oldObject: CertificateSigningRequest;
      }
    | { readonly operation: 'DELETE' | 'CONNECT' }
  );

/** Why a body is not a valid AdmissionReview, with the uid if it could be decoded. */
export interface DecodeError {
  readonly message: string;
  readonly uid?: string;
}

/** A denial: 403 the permission is missing, 422 the object is invalid, 500 the webhook could not decide. */
export interface Refusal {
  readonly code: 403 | 422 | 500;
  /** kubectl prints it before the message. */
  readonly reason: Reason | 'InternalError';
  readonly message: string;
  readonly causes: readonly FieldError[];
}

declare const madeHere: unique symbol;

/** An AdmissionReview with its response, ready to send. */
export interface AdmissionAnswer {
  readonly [madeHere]: true;
  readonly apiVersion: string;
  readonly kind: string;
  readonly response: Readonly<Record<string, unknown>> & { readonly uid: string; readonly allowed: boolean };
}

export function allow(request: AdmissionRequest, warnings: readonly string[] = []): AdmissionAnswer {
  return answer(request, true, warnings.length > 0 ? { warnings } : {});
}

export function deny(request: AdmissionRequest, refusal: Refusal): AdmissionAnswer {
  const { code, reason, message, causes } = refusal;
  const name = 'object' in request ? shorten(request.object.metadata.name) : '';
  // Clients may show only the causes, so each cause is complete in itself.
  const lines = causes.map(cause => ({ reason: cause.reason, field: cause.field, message: messageOf(cause) }));
  const details = { group: 'certificates.k8s.io', kind: 'CertificateSigningRequest', name, causes: lines };
  const status = { status: 'Failure', code, reason, message, ...(lines.length > 0 && { details }) };
  return answer(request, false, { status });
}

function answer({ uid }: AdmissionRequest, allowed: boolean, rest: Readonly<Record<string, unknown>>): AdmissionAnswer {
  return { apiVersion: API_VERSION, kind: KIND, response: { uid, allowed, ...rest } } as AdmissionAnswer;
}

/** The violated rule, the remedy, and the reason, by which docs/reasons.md can be searched. */
function messageOf({ message, remedy, reason }: FieldError): string {
  return `${[message, remedy].filter(Boolean).join('; ')} (${reason})`;
}

/** One violated rule per line, each with the path of its field. */
export function formatFieldErrors(errors: readonly FieldError[]): string {
  return errors.map(error => `${error.field}: ${messageOf(error)}`).join('\n');
}

/** Decodes an AdmissionReview for a CertificateSigningRequest of certificates.k8s.io/v1. Never throws. */
export function decodeAdmissionReview(body: unknown): Result<AdmissionRequest, DecodeError> {
  const review = decodeReview(body, 'AdmissionReview');
  if (!review.ok) return err({ message: review.error });
  const envelope = decodeEnvelope(review.value.request, 'request');
  if (!envelope.ok) return err({ message: envelope.error });
  const { kind: _, operation, ...rest } = envelope.value;
  const objects = decodeObjects[operation](review.value.request, 'request');
  if (!objects.ok) return err({ message: objects.error, uid: rest.uid });
  // Safe cast: decodeObjects has, for each operation, a decoder for exactly the fields of that operation.
  return ok({ ...rest, operation, ...(objects.value as object) } as AdmissionRequest);
}

const decodeReview = object<{ apiVersion: string; kind: string; request: unknown }>({
  apiVersion: oneOf(API_VERSION),
  kind: oneOf(KIND),
  request: value => ok(value),
});

const decodeRequester = object<Requester>({
  username: optional(text),
  uid: optional(text),
  groups: optional(listOf(text)),
  extra: optional(mapOf(withDefault(listOf(text), []))),
});

const decodeEnvelope = object<Envelope & { operation: AdmissionRequest['operation']; kind: unknown }>({
  uid: identifier,
  kind: object({
    group: oneOf('certificates.k8s.io'),
    version: oneOf('v1'),
    kind: oneOf('CertificateSigningRequest'),
  }),
  operation: oneOf('CREATE', 'UPDATE', 'DELETE', 'CONNECT'),
  userInfo: decodeRequester,
  subResource: optional(text),
  dryRun: optional(flag),
});

/** Only these annotations are decoded; there may be many others. */
const decodeAnnotations: Decoder<NonNullable<ObjectMeta['annotations']>> = entriesOf(IMMUTABLE_ANNOTATIONS, text);

const decodeMeta = object<Pick<ObjectMeta, 'name' | 'annotations'>>({
  name: withDefault(text, ''),
  annotations: optional(decodeAnnotations),
});

const decodeSpec = object<CertificateSigningRequest['spec']>({
  signerName: text,
  request: text,
  usages: optional(listOf(text)),
  expirationSeconds: optional(integer),
  // The requester is taken from userInfo, which only the API server writes.
  username: () => ok(undefined),
  uid: () => ok(undefined),
  groups: () => ok(undefined),
  extra: () => ok(undefined),
});

const decodeCsr: Decoder<CertificateSigningRequest> = object<CertificateSigningRequest>({
  metadata: decodeMeta,
  spec: decodeSpec,
  // Unused.
  status: () => ok(undefined),
});

const decodeNothing: Decoder<unknown> = () => ok({});

const decodeObjects: Readonly<Record<AdmissionRequest['operation'], Decoder<unknown>>> = {
  CREATE: object<{ object: CertificateSigningRequest }>({ object: decodeCsr }),
  UPDATE: object<{ object: CertificateSigningRequest; oldObject: CertificateSigningRequest }>({
    object: decodeCsr,
    oldObject: decodeCsr,
  }),
  DELETE: decodeNothing,
  CONNECT: decodeNothing,
};
