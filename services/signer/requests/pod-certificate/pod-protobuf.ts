// The PodCertificateRequest in protobuf (k8s.io/api/certificates/v1/generated.proto of Kubernetes 1.37), read into the
// shape that its JSON has. Reads what the signer uses of it and steps over the rest.

import { type ProtobufResource, time } from '@countersign/common/runtime/kube/kube-protobuf.ts';
import {
  base64,
  deferred,
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

/** The collection of all namespaces. */
export const POD_CERTIFICATE_PATH = '/apis/certificates.k8s.io/v1/podcertificaterequests';

/** metav1.ObjectMeta. */
const METADATA: Fields = {
  1: requiredText('name'),
  3: text('namespace'),
  5: text('uid'),
  6: text('resourceVersion'),
  8: time('creationTimestamp'),
  9: time('deletionTimestamp'),
};

/** 9 and 10 were the key of earlier versions of the API. */
const SPEC: Fields = {
  1: requiredText('signerName'),
  2: requiredText('podName'),
  3: requiredText('podUID'),
  4: requiredText('serviceAccountName'),
  5: requiredText('serviceAccountUID'),
  6: requiredText('nodeName'),
  7: requiredText('nodeUID'),
  8: int32('maxExpirationSeconds'),
  11: map('unverifiedUserAnnotations', requiredText, ''),
  12: base64('stubPKCS10Request'),
};

/** metav1.Condition; the condition of a CSR has other numbers. */
const CONDITION: Fields = {
  1: requiredText('type'),
  2: requiredText('status'),
  4: time('lastTransitionTime'),
  5: requiredText('reason'),
  6: requiredText('message'),
};

const STATUS: Fields = {
  1: repeated('conditions', name => message(name, CONDITION)),
  2: text('certificateChain'),
  4: time('notBefore'),
  5: time('beginRefreshAt'),
  6: time('notAfter'),
};

const REQUEST: Fields = { 1: message('metadata', METADATA), 2: message('spec', SPEC), 3: message('status', STATUS) };

/** The spec of a request that is done is not needed. */
const LISTED: Fields = { ...REQUEST, 2: lazyMessage('spec', SPEC) };

const LIST: Fields = {
  1: message('metadata', { 2: text('resourceVersion'), 3: text('continue') }),
  2: deferred('items', LISTED),
};

export const POD_CERTIFICATE_PROTOBUF: ProtobufResource = {
  paths: /^\/apis\/certificates\.k8s\.io\/v1\/(?:namespaces\/[^/]+\/)?podcertificaterequests\b/,
  kinds: {
    PodCertificateRequest: reader => readMessage(reader, REQUEST),
    PodCertificateRequestList: reader => readMessage(reader, LIST),
  },
};
