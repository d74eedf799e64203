// Two issuers of one signer: slow signatures of one pause while the other is in use.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PRIVATE_KEY_SECRET_NAME } from '@countersign/common/annotations.ts';
import { ComputeScheduler } from '@countersign/signer/authority/compute-scheduler.ts';
import { createCaIssuer } from '@countersign/signer/issuers/ca.ts';
import { createSelfSignedIssuer } from '@countersign/signer/issuers/self-signed.ts';
import { rootTexts, type SecretTexts } from '../../../support/ca-builder.ts';
import { buildCertificate, holderOfKey } from '../../../support/certificate-builder.ts';
import { buildCsr } from '../../../support/csr-builder.ts';
import { decide, key, observe } from '../../../support/issuer-case.ts';

function slowTexts(): SecretTexts {
  return { 'tls.key': key('rsa8192'), 'tls.crt': buildCertificate(holderOfKey('slow', key('rsa8192'))) };
}

const OTHERS: readonly (readonly [string, (scheduler: ComputeScheduler) => Promise<unknown>])[] = [
  [
    'a CA issuer',
    scheduler => observe({ handler: createCaIssuer(scheduler), spec: { ca: { secretName: 'other' } } }, rootTexts()),
  ],
  [
    'a SelfSigned issuer',
    scheduler => {
      const csr = buildCsr({ annotations: { [PRIVATE_KEY_SECRET_NAME]: 'other' } });
      return observe({ handler: createSelfSignedIssuer(scheduler), spec: { selfSigned: {} } }, rootTexts(), csr);
    },
  ],
];

for (const [other, use] of OTHERS) {
  test(`RSA-8192 signatures of one issuer leave three quarters of the time to ${other}`, async () => {
    const scheduler = new ComputeScheduler();
    const kind = { handler: createCaIssuer(scheduler), spec: { ca: { secretName: 'slow' } } };
    const decision = decide(await observe(kind, slowTexts()));
    const issuance = decision.kind === 'issue' ? decision.issuance : undefined;
    if (issuance?.kind !== 'local') return assert.fail(JSON.stringify(decision));
    await use(scheduler);
    const start = performance.now();
    const ends: number[] = [];
    const sign = () => issuance.key.sign(Buffer.from('TBS')).then(() => ends.push(performance.now()));
    await Promise.all([sign(), sign()]);
    const [first = 0, second = 0] = ends;
    // A pause is at most a second, however slow the machine.
    const pause = Math.min(3 * (first - start), 990);
    assert.ok(second - first >= 0.95 * pause, `${second - first} ms after one of ${first - start} ms`);
  });
}
