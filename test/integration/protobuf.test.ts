// CSRs in protobuf equal the same CSRs in JSON, with a real API server: single reads, paged lists, patch answers
// and watches.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CSR_PATH, csrPath } from '@countersign/common/csr.ts';
import { TerminalError } from '@countersign/common/runtime/errors.ts';
import { createClusterClient } from '@countersign/common/runtime/kube/cluster-client.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import { csrProtobuf } from '@countersign/common/runtime/kube/protobuf/csr-protobuf.ts';
import { Api, type Caller } from '../support/api.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane/control-plane.ts';
import { readRequest } from '../support/vectors.ts';

interface Csr {
  readonly metadata: { readonly name: string };
  readonly spec: object;
  readonly status: object;
}

interface CsrList {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly Csr[];
}

const NOW = '2026-11-24T12:00:00Z';
const APPROVED = { type: 'Approved', status: 'True', reason: 'Tested', message: 'grüße', lastUpdateTime: NOW };

let controlPlane: ControlPlane;
let api: Api;
let json: KubeClient;
let protobuf: KubeClient;
let robot: Caller;

before(async () => {
  controlPlane = await startControlPlane();
  api = await Api.fromKubeconfig(controlPlane.adminKubeconfig);
  json = createClusterClient({ kubeconfig: controlPlane.adminKubeconfig });
  protobuf = createClusterClient({
    kubeconfig: controlPlane.adminKubeconfig,
    protobuf: [csrProtobuf({ labels: true })],
  });
  await kubectl('create', 'serviceaccount', 'robot');
  await kubectl(
    'create',
    'clusterrolebinding',
    'robot',
    '--clusterrole=cluster-admin',
    '--serviceaccount=default:robot',
  );
  robot = { token: (await kubectl('create', 'token', 'robot')).trim() };
  await create('bare', { spec: {} });
  await create('full', {
    metadata: { annotations: { 'experimental.cert-manager.io/request-is-ca': 'true', empty: '' }, labels: { a: 'b' } },
    spec: { usages: ['digital signature', 'server auth', 'any'], expirationSeconds: 86_400 },
    as: robot,
  });
  await create('approved', { spec: {} });
  await patch('approved', 'approval', { conditions: [APPROVED] });
  await create('failed', { spec: {} });
  await patch('failed', 'approval', { conditions: [APPROVED] });
  await patch('failed', 'status', { conditions: [APPROVED, { type: 'Failed', status: 'True', reason: 'No' }] });
});
after(async () => {
  await Promise.all([json, protobuf, api].map(client => client?.close()));
  await controlPlane?.stop();
});

async function kubectl(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await controlPlane.kubectl(args);
  assert.equal(code, 0, stderr);
  return stdout;
}

async function create(
  name: string,
  order: { readonly metadata?: object; readonly spec: object; readonly as?: Caller },
): Promise<void> {
  const spec = {
    signerName: 'example.com/nobody',
    request: readRequest('p256'),
    usages: ['client auth'],
    ...order.spec,
  };
  const body = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name, ...order.metadata },
    spec,
  };
  await api.do({ method: 'POST', path: CSR_PATH, body, ...(order.as && { as: order.as }) });
}

async function patch(name: string, subresource: string, status: object): Promise<void> {
  await api.patch(`${csrPath(name)}/${subresource}`, { status });
}

/** The part of the JSON that is also decoded from protobuf: spec and status in full, and the metadata that is used. */
function project({ metadata, spec, status }: Csr): object {
  const names = new Set(['name', 'uid', 'resourceVersion', 'annotations', 'labels']);
  const kept = Object.fromEntries(Object.entries(metadata).filter(([name]) => names.has(name)));
  return { metadata: kept, spec, status };
}

async function readJson(name: string): Promise<object> {
  return project((await json.get<Csr>(csrPath(name))) ?? assert.fail());
}

describe('in protobuf', () => {
  for (const name of ['bare', 'full', 'approved', 'failed']) {
    test(`the CSR "${name}" is the same in protobuf as in JSON`, async () => {
      assert.deepEqual(await protobuf.get(csrPath(name)), await readJson(name));
    });
  }

  test('a paged list has the same items in protobuf', async () => {
    const items: object[] = [];
    let next: string | undefined = '';
    while (next !== undefined) {
      const path = `${CSR_PATH}?limit=3${next && `&continue=${encodeURIComponent(next)}`}`;
      const page: CsrList = (await protobuf.get(path)) ?? assert.fail();
      assert.match(page.metadata.resourceVersion, /^\d+$/);
      items.push(...page.items);
      next = page.metadata.continue;
    }
    const { items: expected } = (await json.get<CsrList>(CSR_PATH)) ?? assert.fail();
    assert.deepEqual(items, expected.map(project));
    assert.equal(items.length, 4);
  });

  test('the answer to a patch is the CSR in protobuf', async () => {
    const patched = await protobuf.mergePatch(csrPath('bare'), { metadata: { annotations: { patched: 'yes' } } });
    assert.deepEqual(patched, await readJson('bare'));
  });

  test('a watch delivers the same changes in protobuf', async () => {
    const { metadata } = (await json.get<CsrList>(CSR_PATH)) ?? assert.fail();
    const path = `${CSR_PATH}?watch=1&resourceVersion=${metadata.resourceVersion}`;
    await patch('approved', 'status', { conditions: [APPROVED, { type: 'Failed', status: 'True', reason: 'No' }] });
    await api.remove(csrPath('failed'));
    const seen: string[] = [];
    for await (const { type, object } of protobuf.watch(path, AbortSignal.timeout(10_000))) {
      const { name } = (object as Csr).metadata;
      seen.push(`${type} ${name}`);
      if (type === 'MODIFIED') assert.deepEqual(object, await readJson(name));
      if (type === 'DELETED') break;
    }
    assert.deepEqual(seen, ['MODIFIED approved', 'DELETED failed']);
  });

  for (const [name, code] of [
    ['none', 'not-found'],
    ['bare', 'invalid'],
  ] as const) {
    test(`the error ${code} has the same message in protobuf`, async () => {
      const body = { status: { certificate: Buffer.from('no certificate').toString('base64') } };
      const failures = [json, protobuf].map(async client =>
        client.mergePatch(`${csrPath(name)}/status`, body).catch((error: unknown) => error),
      );
      const [expected, failure] = await Promise.all(failures);
      assert.ok(failure instanceof TerminalError);
      assert.deepEqual([failure.code, failure.message], [code, (expected as TerminalError).message]);
    });
  }
});
