// Decodes CertificateSigningRequests from protobuf (k8s.io/api/certificates/v1/generated.proto) into the shape of their
// JSON. Decodes only the fields that the signer uses and skips the rest, which is most of the object (managedFields).

import { type ProtobufResource, time } from '@countersign/common/runtime/kube/kube-protobuf.ts';
import {
  base64,
  deferred,
  type Field,
  type Fields,
  int32,
  lazyMessage,
  map,
  message,
  readMessage,
  repeated,
  requiredText,
  text,
} from '@countersign/common/runtime/kube/protobuf/protobuf-message.ts';

/** metav1.ObjectMeta. */
const METADATA: Fields = {
  1: requiredText('name'),
  5: text('uid'),
  6: text('resourceVersion'),
  9: time('deletionTimestamp'),
  11: map('labels', requiredText, ''),
  12: map('annotations', requiredText, ''),
};

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

const CSR: Fields = {
  1: message('metadata', METADATA),
  2: message('spec', SPEC),
  3: message('status', { 1: repeated('conditions', name => message(name, CONDITION)), 2: base64('certificate') }),
};

/** The spec of a finished CSR is not used. */
const LISTED_CSR: Fields = { ...CSR, 2: lazyMessage('spec', SPEC) };

const LIST: Fields = {
  1: message('metadata', { 2: text('resourceVersion'), 3: text('continue') }),
  2: deferred('items', LISTED_CSR),
};

export const CSR_PROTOBUF: ProtobufResource = {
  paths: /^\/apis\/certificates\.k8s\.io\/v1\/certificatesigningrequests\b/,
  kinds: {
    CertificateSigningRequest: reader => readMessage(reader, CSR),
    CertificateSigningRequestList: reader => readMessage(reader, LIST),
  },
};
