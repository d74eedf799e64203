// The controller when another signer ends requests that it was to sign: it reports that, and only that.

import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import { buildIssuer } from '../../support/ca-builder.ts';
import { APPROVED_AT, buildCertificateOf, buildCsr } from '../../support/csr-builder.ts';
import { recordLog } from '../../support/test-log.ts';
import { until } from '../../support/until.ts';
import { CSRS, start } from './controller-harness.ts';

const FOREIGN = buildCertificateOf('another uid');
const CONTROLLER = 'disable its controller certificatesigningrequests-issuer-ca';
const ISSUED = `Warning AnotherSigner: The certificate was issued by another signer, although Countersign signs for Issuer sandbox/my-ca: if cert-manager does too, ${CONTROLLER}`;

/** A leader for which the CSRs are open, because its issuer lacks its Secret. */
async function startWaiting(t: TestContext, names: readonly string[], issuer: Issuer = buildIssuer()) {
  const recorded = recordLog('warn');
  const csrs = names.map(name => buildCsr({ name }));
  const started = await start(t, { csrs, issuer, secret: undefined, options: { log: recorded.log } });
  const { client, registry } = started;
  let version = 200;
  /** What another client writes, as the watch and the next read show it. */
  const end = (csr: CertificateSigningRequest) => {
    const path = `${CSRS}/${csr.metadata.name}`;
    client.answerFirst(call => (call.verb === 'get' && call.path === path ? csr : undefined));
    version += 1;
    client.push('certificatesigningrequests', 'MODIFIED', csr, `${version}`);
  };
  const reads = (name: string) => client.calls.filter(({ verb, path }) => verb === 'get' && path === `${CSRS}/${name}`);
  const count = async (type = 'ca') =>
    Number(
      new RegExp(`^countersign_foreign_completions_total{issuer_type="${type}"} (\\d+)$`, 'm').exec(
        await registry.metrics(),
      )?.[1],
    );
  const logged = () => recorded.lines.filter(({ msg }) => msg === 'another signer serves an issuer');
  const events = () => client.events.filter(text => text.includes('AnotherSigner'));
  return { ...started, end, reads, count, logged, events };
}

it('certificates of another signer are all counted, logged once, and recorded once a minute', async t => {
  const { end, count, logged, events } = await startWaiting(t, ['jane', 'john']);
  end(buildCsr({ certificate: FOREIGN }));
  await until(async () => (await count()) === 1 && events().length === 1);
  end(buildCsr({ name: 'john', certificate: FOREIGN }));
  await until(async () => (await count()) === 2);
  assert.deepEqual(events(), [ISSUED]);
  assert.deepEqual(
    logged().map(({ csr, result, detail }) => ({ csr, result, detail })),
    [{ csr: 'jane', result: 'issued', detail: ISSUED.replace('Warning AnotherSigner: ', '') }],
  );
});

it('a failure that another signer wrote is reported with its reason', async t => {
  const { end, count, logged, events } = await startWaiting(t, ['jane']);
  const failed = { type: 'Failed', status: 'True', reason: 'SigningError', message: 'no', lastUpdateTime: APPROVED_AT };
  const csr = buildCsr();
  end({ ...csr, status: { conditions: [...(csr.status?.conditions ?? []), failed] } });
  await until(async () => (await count()) === 1 && events().length === 1);
  assert.match(events()[0] ?? '', /^Warning AnotherSigner: The CSR was failed by another signer, although /);
  assert.deepEqual(
    logged().map(({ result, reason }) => [result, reason]),
    [['failed', 'SigningError']],
  );
});

it('a certificate that was signed here, such as by a former leader, is not reported', async t => {
  const { end, reads, count, logged, events } = await startWaiting(t, ['jane', 'john']);
  end(buildCsr({ certificate: buildCertificateOf(), annotations: { 'experimental.cert-manager.io/ca': 'x' } }));
  await until(() => reads('jane').length === 1);
  end(buildCsr({ name: 'john', certificate: FOREIGN }));
  await until(async () => (await count()) === 1 && events().length === 1);
  assert.deepEqual(
    logged().map(({ csr }) => csr),
    ['john'],
  );
});

it('a certificate of an issuer that is not served here is not reported', async t => {
  const { metadata, status } = buildIssuer();
  const acme: Issuer = { metadata, spec: { acme: {} }, ...(status && { status }) };
  const { end, reads, count, logged } = await startWaiting(t, ['jane'], acme);
  end(buildCsr({ certificate: FOREIGN }));
  await until(() => reads('jane').length === 1);
  await sleep(50);
  assert.deepEqual([await count('acme'), logged()], [0, []]);
});

it('a certificate that was there when the CSR was listed is not reported, nor one for a CSR without approval', async t => {
  const { client, end, reads, count } = await startWaiting(t, ['jane']);
  client.push('certificatesigningrequests', 'ADDED', buildCsr({ name: 'old', certificate: FOREIGN }), '150');
  client.push('certificatesigningrequests', 'ADDED', buildCsr({ name: 'unapproved', conditions: [] }), '151');
  end(buildCsr({ name: 'unapproved', certificate: FOREIGN }));
  end(buildCsr({ certificate: FOREIGN }));
  await until(async () => (await count()) === 1);
  assert.deepEqual([reads('old'), reads('unapproved'), reads('jane').length], [[], [], 1]);
});

it('its own certificates are not read again', async t => {
  const { client, registry } = await start(t, {});
  client.push('certificatesigningrequests', 'ADDED', buildCsr(), '101');
  await until(() => client.writes.length === 1);
  client.push('certificatesigningrequests', 'MODIFIED', buildCsr({ certificate: FOREIGN }), '102');
  await sleep(1_500);
  assert.equal(
    client.calls.some(({ verb, path }) => verb === 'get' && path === `${CSRS}/jane`),
    false,
  );
  assert.doesNotMatch(await registry.metrics(), /^countersign_foreign_completions_total\{.*\} [1-9]/m);
});
