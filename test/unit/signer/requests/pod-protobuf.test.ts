// PodCertificateRequests in protobuf, as Kubernetes encodes them, and as no release does.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeObject } from '@countersign/common/runtime/kube/kube-protobuf.ts';
import { ProtobufError } from '@countersign/common/runtime/kube/protobuf/protobuf.ts';
import { POD_CERTIFICATE_PROTOBUF } from '@countersign/signer/requests/pod-certificate/pod-protobuf.ts';
import { envelope, field, message } from '../../../support/protobuf-writer.ts';
import { readVectors } from '../../../support/vectors.ts';

type Json = Record<string, unknown>;

interface Case {
  readonly name: string;
  /** Base64. */
  readonly protobuf: string;
  readonly json: Json & { readonly items?: readonly Json[] };
}

const decode = (bytes: Buffer) => decodeObject(bytes, POD_CERTIFICATE_PROTOBUF.kinds) as Json;

const UNUSED = new Set([
  'generateName',
  'labels',
  'annotations',
  'ownerReferences',
  'managedFields',
  'observedGeneration',
]);

/** Without what the signer does not use. */
function used({ kind: _kind, apiVersion: _apiVersion, ...object }: Json): Json {
  return JSON.parse(JSON.stringify(object, (key, value: unknown) => (UNUSED.has(key) ? undefined : value))) as Json;
}

const cases = new Map(readVectors<Case[]>('pod-certificate-requests.yaml').map(each => [each.name, each]));

function readCase(name: string): { readonly bytes: Buffer; readonly json: Case['json'] } {
  const { protobuf, json } = cases.get(name) ?? assert.fail(`no case ${name}`);
  return { bytes: Buffer.from(protobuf, 'base64'), json };
}

describe('the protobuf of a PodCertificateRequest', () => {
  for (const name of ['pending', 'issued', 'denied']) {
    it(`the ${name} request in protobuf has what its JSON has`, () => {
      const { bytes, json } = readCase(name);
      assert.deepEqual(decode(bytes), used(json));
    });
  }

  it('a list in protobuf has its items and its continue token', () => {
    const { bytes, json } = readCase('list');
    const { items, ...rest } = decode(bytes);
    assert.deepEqual(rest, { metadata: { resourceVersion: '4712', continue: 'next' } });
    const read = [...(items as Iterable<Json>)].map(item => JSON.parse(JSON.stringify(item)) as Json);
    assert.deepEqual(
      read,
      json.items?.map(item => used(item)),
    );
  });

  it('fields of earlier and later versions of the API are skipped', () => {
    const spec = message([1, 'a.example/b'], [9, 'pkixPublicKey'], [10, 'proofOfPossession'], [12, 'stub'], [90, 7]);
    const read = decode(envelope('PodCertificateRequest', message([1, field(1, 'r')], [2, spec], [90, 'x'])));
    assert.deepEqual(read, {
      metadata: { name: 'r' },
      spec: { signerName: 'a.example/b', stubPKCS10Request: Buffer.from('stub').toString('base64') },
    });
  });

  it('a condition has the field numbers of metav1.Condition, not those of the condition of a CSR', () => {
    const time = field(1, Date.parse('2026-11-30T10:00:00Z') / 1000);
    const condition = message([1, 'Denied'], [2, 'True'], [3, 9], [4, time], [5, 'Reason'], [6, 'text']);
    const read = decode(envelope('PodCertificateRequest', field(3, field(1, condition))));
    assert.deepEqual(read['status'], {
      conditions: [
        {
          type: 'Denied',
          status: 'True',
          lastTransitionTime: '2026-11-30T10:00:00Z',
          reason: 'Reason',
          message: 'text',
        },
      ],
    });
  });

  it('a request that is cut anywhere is an error or incomplete, and never hangs', () => {
    const { bytes } = readCase('issued');
    for (let length = 0; length < bytes.length; length += 7) {
      try {
        decode(bytes.subarray(0, length));
      } catch (error) {
        assert.ok(error instanceof ProtobufError);
      }
    }
  });
});
