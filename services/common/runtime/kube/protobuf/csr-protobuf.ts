// Decodes CertificateSigningRequests from protobuf (k8s.io/api/certificates/v1/generated.proto) into the shape of their
// JSON. Decodes only the fields that signer and approver use.

import { type ProtobufResource, time } from '../kube-protobuf.ts';
import { describeKind, OBJECT_META } from './object-kind.ts';
import {
  base64,
  type Field,
  type Fields,
  int32,
  map,
  message,
  readMessage,
  repeated,
  requiredText,
  text,
} from './protobuf-message.ts';

const METADATA: Fields = { ...OBJECT_META, 12: map('annotations', requiredText, '') };

const LABELS: Fields = { 11: map('labels', requiredText, '') };

/** certificates.k8s.io/v1 ExtraValue: a list, wrapped in a message in protobuf only. */
function extraValue(name: string): Field {
  const items = repeated(name, requiredText);
  return (reader, into) => {
    into[name] = [];
    readMessage(reader.message(), { 1: items }, into);
  };
}

const SPEC: Fields = {
  1: base64('request'),
  2: text('username'),
  3: text('uid'),
  4: repeated('groups', requiredText),
  5: repeated('usages', requiredText),
  6: map('extra', extraValue, []),
  7: requiredText('signerName'),
  8: int32('expirationSeconds'),
};

const CONDITION: Fields = {
  1: requiredText('type'),
  2: text('reason'),
  3: text('message'),
  4: time('lastUpdateTime'),
  5: time('lastTransitionTime'),
  6: requiredText('status'),
};

const STATUS: Fields = { 1: repeated('conditions', name => message(name, CONDITION)), 2: base64('certificate') };

/** `labels`: whether anything uses the labels of CSRs. */
export function csrProtobuf({ labels }: { readonly labels: boolean }): ProtobufResource {
  const metadata = labels ? { ...METADATA, ...LABELS } : METADATA;
  return {
    paths: /^\/apis\/certificates\.k8s\.io\/v1\/certificatesigningrequests\b/,
    kinds: describeKind('CertificateSigningRequest', { metadata, spec: SPEC, status: STATUS }),
  };
}
