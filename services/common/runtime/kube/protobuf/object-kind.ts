// Describes a kind of object and its list in protobuf (k8s.io/apimachinery pkg/apis/meta/v1 generated.proto): the
// metadata that all kinds share, and how a list is decoded. Decodes only the fields in use and skips the rest, which
// is most of an object (managedFields).

import { type ProtobufResource, time } from '../kube-protobuf.ts';
import { deferred, type Fields, lazyMessage, message, readMessage, requiredText, text } from './protobuf-message.ts';

/** metav1.ObjectMeta: what identifies an object and its version. */
export const OBJECT_META: Fields = {
  1: requiredText('name'),
  5: text('uid'),
  6: text('resourceVersion'),
  9: time('deletionTimestamp'),
};

const LIST_META: Fields = { 2: text('resourceVersion'), 3: text('continue') };

export interface KindFields {
  readonly metadata: Fields;
  readonly spec: Fields;
  readonly status: Fields;
}

/** Returns the decoders of a kind and its list, which decodes a spec on first access: finished requests need none. */
export function describeKind(kind: string, { metadata, spec, status }: KindFields): ProtobufResource['kinds'] {
  const object = { 1: message('metadata', metadata), 2: message('spec', spec), 3: message('status', status) };
  const listed = { ...object, 2: lazyMessage('spec', spec) };
  const list = { 1: message('metadata', LIST_META), 2: deferred('items', listed) };
  return {
    [kind]: reader => readMessage(reader, object),
    [`${kind}List`]: reader => readMessage(reader, list),
  };
}
