// The lock on annotations that shape a certificate, tried in every way that the API server offers, once with the
// webhook only and once with the admission policy only.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { IMMUTABLE_ANNOTATIONS } from '@countersign/common/annotations.ts';
import { stringify } from 'yaml';
import type { ApiAnswer, Caller, Refusal } from '../support/api.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { readPki } from '../support/pki.ts';
import { approve, type CsrObject, getCsr, tryCreateCsr } from '../support/requests.ts';
import { ACTORS, INITIAL_ANNOTATIONS, LOCK_RBAC, pathOf, type Subresource, WAYS } from './annotation-lock-cases.ts';

const SIGNER_NAME = 'clusterissuers.cert-manager.io/absent';
const REQUESTER = { user: 'requester' };
const CONFIGURATION = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/countersign-webhook';

type Answer = ApiAnswer<CsrObject & Refusal>;

let cluster: Cluster;
before(async () => {
  cluster = await startCluster({ signers: 0 });
  await cluster.kubectl(['apply', '-f', '-'], LOCK_RBAC.map(object => stringify(object)).join('---\n'));
  const isInForce = async () => ((await create('first')).status === 201 ? true : undefined);
  await cluster.eventually('the requester may create', isInForce);
});
after(() => cluster?.stop());

function create(name: string): Promise<Answer> {
  return tryCreateCsr(cluster, { name, signerName: SIGNER_NAME, annotations: INITIAL_ANNOTATIONS }, REQUESTER);
}

const STATES: Readonly<Record<string, (name: string) => Promise<unknown>>> = {
  'before the approval': async () => {},
  'after the approval': name => approve(cluster, name),
  'after the certificate': async name => {
    await approve(cluster, name);
    const certificate = Buffer.from(readPki('certificates/root')).toString('base64');
    await cluster.api.patch(`${pathOf(name)}/status`, { status: { certificate } });
  },
};

function lockedOf({ metadata }: CsrObject): object {
  const annotations = Object.entries(metadata.annotations ?? {});
  return Object.fromEntries(annotations.filter(([key]) => IMMUTABLE_ANNOTATIONS.includes(key)));
}

/** Returns the outcome, or the unexpected answer. */
function readOutcome({ status, body }: Answer): string {
  if (status === 409) return 'conflict';
  if (status === 422 && body.message.includes('delete the CSR and create a new one')) return 'refused';
  return status < 300 ? `unchanged${describeChange(body)}` : `${status} ${body.message}`;
}

function describeChange(csr: CsrObject): string {
  const locked = JSON.stringify(lockedOf(csr));
  return locked === JSON.stringify(lockedOf({ metadata: { ...csr.metadata, annotations: INITIAL_ANNOTATIONS } }))
    ? ''
    : `: ${locked}`;
}

async function tryAll(name: string, subresource: Subresource, as: Caller | undefined): Promise<string[]> {
  const surprises: string[] = [];
  for (const { name: way, call, outcome } of WAYS) {
    const request = call(await getCsr(cluster, name), `${pathOf(name)}${subresource}`);
    const found = readOutcome(await cluster.api.call({ ...request, ...(as && { as }) }));
    if (found !== outcome) surprises.push(`${way}: ${found} instead of ${outcome}`);
  }
  return surprises;
}

function describeTable(guard: string): void {
  for (const [state, reach] of Object.entries(STATES)) {
    for (const { subresource, as } of ACTORS) {
      const who = as === undefined ? 'the cluster admin' : `the ${Object.values(as).join()}`;
      const through = subresource === '' ? 'the object' : subresource;
      test(`${who} cannot change a locked annotation ${state} through ${through} in any of ${WAYS.length} ways (${guard})`, async () => {
        const name = [guard, state, who, through].join('-').replaceAll(/[^a-z]+/g, '-');
        assert.equal((await create(name)).status, 201);
        await reach(name);
        assert.deepEqual(await tryAll(name, subresource, as), []);
        assert.equal(describeChange(await getCsr(cluster, name)), '');
      });
    }
  }
}

describe('annotation lock with the webhook only', () => describeTable('webhook'));

describe('annotation lock with the admission policy only', () => {
  before(async () => {
    const command = [...cluster.installation.helmCommand, '--set', 'admissionPolicy.enabled=true'];
    const { code, stderr } = await cluster.controlPlane.helm(command);
    assert.equal(code, 0, stderr);
    await cluster.api.remove(CONFIGURATION);
    const [webhook] = cluster.installation.running('webhook');
    await webhook?.child.stop(10_000);
    await cluster.eventually('the policy is in force', isInForce, 20_000);
  });

  async function isInForce(): Promise<true | undefined> {
    const body = { metadata: { annotations: { [IMMUTABLE_ANNOTATIONS[1] ?? '']: 'true' } } };
    const answer = await cluster.api.call<CsrObject & Refusal>({
      method: 'PATCH',
      path: `${pathOf('first')}?dryRun=All`,
      body,
    });
    return /ValidatingAdmissionPolicy/.test(answer.body.message) ? true : undefined;
  }

  describeTable('policy');
});
