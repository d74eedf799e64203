// Mutates fields, wire types and lengths of CSRs in protobuf: single objects, lists and watch events. What is decoded
// must equal what Kubernetes' decoder reads, and every rejection must be a ProtobufError. FUZZ_CASES and FUZZ_SEED
// change the number and choice of cases.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { decodeObject, watchFrames } from '@countersign/common/runtime/kube/kube-protobuf.ts';
import { csrProtobuf } from '@countersign/common/runtime/kube/protobuf/csr-protobuf.ts';
import { ProtobufError } from '@countersign/common/runtime/kube/protobuf/protobuf.ts';
import { report } from '../../support/faults/figures.ts';
import { askGoAbout } from '../../support/fuzz/go-parser.ts';
import { mutateProtobuf } from '../../support/fuzz/protobuf-tree.ts';
import { caseCount, fuzzSeed, Random, reproduction } from '../../support/fuzz/random.ts';
import { envelope, field, message } from '../../support/protobuf-writer.ts';
import { readRequest } from '../../support/vectors.ts';

const at = (seconds: number) => field(1, seconds);
const condition = (type: string, seconds: number) =>
  message([1, type], [2, 'Reason'], [3, 'grüße'], [4, at(seconds)], [5, at(seconds)], [6, 'True']);
const entry = (key: string, value: string | Buffer) => message([1, key], [2, value]);

const metadata = message(
  [1, 'jane'],
  [5, 'uid-1'],
  [6, '12'],
  [8, at(1_700_000_000)],
  [9, at(1_800_000_000)],
  [11, entry('label', 'x')],
  [12, entry('experimental.cert-manager.io/request-is-ca', 'true')],
  [12, entry('experimental.cert-manager.io/request-duration', '1h')],
  [17, message([1, 'manager'], [2, 'Update'], [4, at(1_700_000_000)])],
);
const spec = message(
  [1, Buffer.from(readRequest('p256'), 'base64').subarray(0, 60)],
  [2, 'jane'],
  [3, 'user-1'],
  [4, 'system:authenticated'],
  [4, 'team'],
  [5, 'digital signature'],
  [5, 'server auth'],
  [6, entry('scopes', message([1, 'a'], [1, 'b']))],
  [7, 'issuers.cert-manager.io/sandbox.ca'],
  [8, 86_400],
);
const status = message(
  [1, condition('Approved', 1_700_000_001)],
  [1, condition('Failed', 1_700_000_002)],
  [2, 'chain'],
);
const csr = message([1, metadata], [2, spec], [3, status]);
const list = message([1, message([2, '77'], [3, 'next'])], [2, csr], [2, message([1, metadata], [2, spec])]);

type Kind = 'CertificateSigningRequest' | 'CertificateSigningRequestList' | 'watch';
const SAMPLES: readonly (readonly [kind: Kind, raw: Buffer])[] = [
  ['CertificateSigningRequest', csr],
  ['CertificateSigningRequest', message([1, metadata], [2, spec])],
  ['CertificateSigningRequestList', list],
  ['watch', csr],
];

/** Mutates the object or, in one of eight cases, its envelope. */
function makeCase(random: Random): Buffer {
  const [kind, raw] = random.pick(SAMPLES);
  const isAround = random.below(8) === 0;
  const inner = isAround ? raw : mutateProtobuf(raw, random);
  const whole = envelope(kind === 'watch' ? 'CertificateSigningRequest' : kind, inner);
  if (kind === 'watch') {
    const event = message([1, 'MODIFIED'], [2, message([1, whole])]);
    return isAround ? mutateProtobuf(event, random) : event;
  }
  return isAround ? Buffer.concat([whole.subarray(0, 4), mutateProtobuf(whole.subarray(4), random)]) : whole;
}

const { kinds: CSR_KINDS } = csrProtobuf({ labels: true });
const frames = watchFrames(CSR_KINDS);

/** Returns the message as plain JSON, reading lazily decoded lists completely. undefined if it is not protobuf. */
function read(bytes: Buffer): unknown {
  try {
    const isObject = bytes.subarray(0, 4).toString('latin1') === 'k8s\0';
    const object = (isObject ? decodeObject(bytes, CSR_KINDS) : frames.parse(bytes)) as Record<string, unknown>;
    return JSON.parse(JSON.stringify(object, (_, value) => (isLazyList(value) ? [...value] : value)));
  } catch (error) {
    if (error instanceof ProtobufError) return undefined;
    throw new Error(`${reproduction()} ${bytes.toString('base64')}`, { cause: error });
  }
}

function isLazyList(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

const META = new Set(['name', 'uid', 'resourceVersion', 'deletionTimestamp', 'labels', 'annotations', 'continue']);

/** Reduces both results to the common fields: the metadata decoded here, and no empty values. */
function project(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map(each => project(each));
  if (typeof value === 'string') return value.replace(/\ufffd+/g, '\ufffd');
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([name]) => key !== 'metadata' || META.has(name));
  const projected = entries.map(([name, each]) => [name, project(each, name)] as const);
  return Object.fromEntries(projected.filter(([, each]) => !isEmpty(each)));
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

describe('CSRs in protobuf', () => {
  it('with arbitrary changes are decoded as in Kubernetes or rejected', async t => {
    const random = new Random(fuzzSeed());
    const cases = Array.from({ length: caseCount(40_000) }, () => makeCase(random));
    const answers = await askGoAbout('protobuf', cases);
    const rows = cases.map((bytes, index) => ({ bytes, here: read(bytes), go: answers[index] ?? '' }));
    const both = rows.filter(({ here, go }) => here !== undefined && go.startsWith('ok '));
    const differing = both.flatMap(({ bytes, here, go }) => {
      const [mine, theirs] = [project(here), project(JSON.parse(go.slice('ok '.length)))];
      if (isDeepStrictEqual(mine, theirs)) return [];
      return [`${reproduction()} ${JSON.stringify(mine)} | ${JSON.stringify(theirs)} | ${bytes.toString('base64')}`];
    });
    const refused = rows.filter(({ here }) => here === undefined).length;
    assert.deepEqual(differing.slice(0, 3), [], `${differing.length} are decoded differently`);
    const hasEnoughCases = both.length > rows.length / 10 && refused > rows.length / 20;
    report(
      t,
      'fuzzedProtobuf',
      `${rows.length} messages: ${both.length} decoded by both, ${refused} rejected`,
      hasEnoughCases,
    );
  });
});
