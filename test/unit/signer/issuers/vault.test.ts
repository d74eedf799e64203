// The parts of the Vault issuer that ask no server: what is sent, what is read from an answer, how failures are worded,
// and when an issuer rests.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toRequestedCertificate } from '@countersign/common/validate-request.ts';
import { AS_CERT_MANAGER } from '@countersign/signer/issuance/issuance-policy.ts';
import { IssuerRest } from '@countersign/signer/issuers/vault/issuer-rest.ts';
import { connectionFault, signFault, VaultFault, wordsOf } from '@countersign/signer/issuers/vault/vault-fault.ts';
import { readChain, signBody } from '@countersign/signer/issuers/vault/vault-signature.ts';
import { buildCertificate, createHolder } from '../../../support/certificate-builder.ts';
import { createRequest } from '../../../support/certificate-checks.ts';
import { buildCsr } from '../../../support/csr-builder.ts';
import { errorOf, readPki, valueOf } from '../../../support/pki.ts';

describe('what is sent to Vault', () => {
  it('has the names of the PKCS#10 request and the duration, as cert-manager sends them', async () => {
    const names =
      'subjectAltName=DNS:a.example,DNS:b.example,IP:10.0.0.1,IP:fd00::1,URI:spiffe://x/y,email:a@b.example';
    const request = await createRequest(readPki('keys/p256'), 'www.example.com/O=Example', '-addext', names);
    const csr = buildCsr({ request, expirationSeconds: 5_400 });
    const requested = valueOf(toRequestedCertificate(csr, AS_CERT_MANAGER, { type: 'vault' }));
    assert.deepEqual(signBody(requested), {
      csr: Buffer.from(request, 'base64').toString(),
      common_name: 'www.example.com',
      alt_names: 'a.example,b.example',
      ip_sans: '10.0.0.1,fd00::1',
      uri_sans: 'spiffe://x/y',
      ttl: '1h30m0s',
      exclude_cn_from_sans: 'true',
    });
  });
});

describe('the chain in an answer of Vault', () => {
  const [root, middle, holder, stranger] = ['root', 'middle', 'leaf', 'stranger'].map(name => createHolder(name)) as [
    ReturnType<typeof createHolder>,
    ReturnType<typeof createHolder>,
    ReturnType<typeof createHolder>,
    ReturnType<typeof createHolder>,
  ];
  const [rootPem, otherPem] = [buildCertificate(root), buildCertificate(stranger)];
  const middlePem = buildCertificate(middle, root);
  const certificate = buildCertificate(holder, middle);

  it('the chain in an answer of Vault is ordered from the leaf up, without the root and without strangers', () => {
    const data = { certificate, issuing_ca: middlePem, ca_chain: [rootPem, otherPem, middlePem] };
    assert.deepEqual(valueOf(readChain(data, false)), { chainPem: certificate + middlePem, topPem: rootPem });
    assert.equal(valueOf(readChain(data, true)).chainPem, certificate + middlePem + rootPem);
  });

  it('the chain in an answer of Vault ends at the highest known certificate', () => {
    const data = { certificate: certificate.trim(), issuing_ca: middlePem.trim() };
    assert.deepEqual(valueOf(readChain(data, false)), { chainPem: certificate + middlePem, topPem: middlePem });
  });

  it('the chain in an answer of Vault is not read from other data', () => {
    const none = 'the answer of Vault has no certificate';
    assert.deepEqual(
      [undefined, {}, { certificate: 5 }].map(data => errorOf(readChain(data, false))),
      [none, none, none],
    );
    assert.match(
      errorOf(readChain({ certificate: 'x' }, false)) ?? '',
      /^failed to parse certificate chain from vault: /,
    );
  });
});

describe('a failure of Vault', () => {
  const answer = (statusCode: number, ...errors: readonly string[]) => ({ statusCode, body: { errors } });

  it('a failure of Vault repeats only the errors of Vault, on one line and cut', () => {
    const long = wordsOf(answer(400, `a\n\t* b\u202e\0c`, 'x'.repeat(5_000)));
    assert.ok(long.startsWith('Vault answered 400: a * b c; xxx'), long);
    assert.ok(long.length < 1_100);
    const foreign = 'the Vault server returned an HTTP 502 response which is not a Vault error response';
    for (const body of [undefined, {}, { errors: 'secret' }, { errors: [{ a: 1 }] }, { message: 'secret' }]) {
      assert.equal(wordsOf({ statusCode: 502, body }), foreign);
    }
  });

  for (const [status, words, kind] of [
    [400, 'common name x not allowed by this role', 'refused'],
    [400, 'unknown role: web', 'denied'],
    [403, 'permission denied', 'denied'],
    [404, 'no handler for route', 'denied'],
    [301, '', 'denied'],
    [412, 'required index state not present', 'unavailable'],
    [429, 'rate limit quota exceeded', 'unavailable'],
    [500, 'internal error', 'unavailable'],
    [503, 'Vault is sealed', 'unavailable'],
  ] as const) {
    it(`${status} "${words}" when signing is ${kind}`, () =>
      assert.equal(signFault(answer(status, words), undefined).kind, kind));
  }

  it('with status 400 and no JSON is not the fault of the request', () =>
    assert.equal(signFault({ statusCode: 400, body: undefined }, undefined).kind, 'denied'));

  it('to connect never shows an address', () => {
    const error = Object.assign(new Error('connect ECONNREFUSED 10.1.2.3:80'), { code: 'ECONNREFUSED' });
    assert.equal(connectionFault(error).message, 'the Vault server cannot be reached: the connection was refused');
  });
});

describe('an issuer whose server fails', () => {
  const world = () => {
    let now = 0;
    const rest = new IssuerRest(() => now);
    const fail = (uid: string, key = 'k') =>
      rest.sign(uid, key, () => Promise.reject(new VaultFault('unavailable', 'down')));
    return { rest, fail, pass: (ms: number) => (now += ms) };
  };

  it('rests for longer after each failure, at most 45 s, and not at all once a call succeeds', async () => {
    const { rest, fail, pass } = world();
    const rests: number[] = [];
    for (let attempt = 0; attempt < 9; attempt += 1) {
      await assert.rejects(fail('a'));
      const { forMs = 0, fault } = rest.find('a', 'k') ?? {};
      assert.equal(fault?.message, 'down');
      rests.push(forMs);
      pass(forMs);
      assert.equal(rest.find('a', 'k'), undefined);
    }
    assert.ok(
      (rests[0] ?? 0) <= 1_000 && rests.every(ms => ms <= 45_000) && (rests.at(-1) ?? 0) > 20_000,
      String(rests),
    );
    await rest.sign('a', 'k', async () => 'ok');
    assert.equal(rest.find('a', 'k'), undefined);
  });

  it('an issuer whose server fails is asked at once with other credentials, and rests do not concern other issuers', async () => {
    const { rest, fail } = world();
    await assert.rejects(fail('a'));
    assert.deepEqual([rest.find('a', 'other'), rest.find('b', 'k')], [undefined, undefined]);
  });

  it('that may not sign rests although a check of its login succeeds', async () => {
    const { rest } = world();
    const denied = new VaultFault('denied', 'permission denied');
    await assert.rejects(rest.sign('a', 'k', () => Promise.reject(denied)));
    await rest.check('a', 'k', async () => 'ok');
    assert.equal(rest.find('a', 'k')?.fault, denied);
    await assert.rejects(rest.sign('a', 'k', () => Promise.reject(new VaultFault('refused', 'no'))));
    assert.equal(rest.find('a', 'k'), undefined);
  });

  it('an issuer whose server fails does not rest when Vault refuses a request', async () => {
    const { rest } = world();
    await assert.rejects(rest.sign('a', 'k', () => Promise.reject(new VaultFault('refused', 'no'))));
    assert.equal(rest.find('a', 'k'), undefined);
  });

  it('an issuer whose server fails gets one call at a time after a failure, and at most four such issuers get one', async () => {
    const { rest, fail, pass } = world();
    const issuers = ['a', 'b', 'c', 'd', 'e'];
    for (const uid of issuers) await assert.rejects(fail(uid));
    pass(60_000);
    const release: (() => void)[] = [];
    const calls = issuers.slice(0, 4).map(uid => {
      assert.equal(rest.find(uid, 'k'), undefined);
      return rest.sign(uid, 'k', () => new Promise<void>(resolve => release.push(resolve)));
    });
    assert.deepEqual([rest.find('a', 'k')?.fault?.message, rest.find('e', 'k')?.fault?.message], ['down', 'down']);
    for (const each of release) each();
    await Promise.all(calls);
    assert.equal(rest.find('e', 'k'), undefined);
  });

  it('an issuer whose server fails gets no further calls while earlier ones have not been answered for two seconds', async () => {
    const { rest, pass } = world();
    const call = rest.sign('a', 'k', () => new Promise<void>(resolve => setTimeout(resolve, 1)));
    assert.equal(rest.find('a', 'k'), undefined);
    pass(2_001);
    assert.deepEqual(rest.find('a', 'k'), { fault: undefined, forMs: 2_000 });
    await call;
    assert.equal(rest.find('a', 'k'), undefined);
  });
});
