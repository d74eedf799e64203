// The PodCertificateRequest in protobuf (k8s.io/api/certificates/v1/generated.proto of Kubernetes 1.37), read into the
// shape that its JSON has. Reads what the signer uses of it and steps over the rest.

import { type ProtobufResource, time } from '@countersign/common/runtime/kube/kube-protobuf.ts';
import { describeKind, OBJECT_META } from '@countersign/common/runtime/kube/protobuf/object-kind.ts';
import {
  base64,
  type Fields,
  int32,
  map,
  message,
  repeated,
  requiredText,
  text,
} from '@countersign/common/runtime/kube/protobuf/protobuf-message.ts';

/** The collection of all namespaces. */
export const POD_CERTIFICATE_PATH = '/apis/certificates.k8s.io/v1/podcertificaterequests';

const METADATA: Fields = { ...OBJECT_META, 3: text('namespace'), 8: time('creationTimestamp') };

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

export const POD_CERTIFICATE_PROTOBUF: ProtobufResource = {
  paths: /^\/apis\/certificates\.k8s\.io\/v1\/(?:namespaces\/[^/]+\/)?podcertificaterequests\b/,
  kinds: describeKind('PodCertificateRequest', { metadata: METADATA, spec: SPEC, status: STATUS }),
};
