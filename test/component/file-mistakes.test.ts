// Files that people give in place of a certificate or a private key in PEM, made by OpenSSL: wherever they are given,
// the message says what the file is and what to do, and repeats nothing of it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { PRIVATE_KEY_SECRET_NAME } from '@countersign/common/annotations.ts';
import { CredentialSource } from '@countersign/common/runtime/credentials/kube-credentials.ts';
import { parseSignerName } from '@countersign/common/signer-name.ts';
import { toRequestedCertificate } from '@countersign/common/validate-request.ts';
import { AS_CERT_MANAGER } from '@countersign/signer/issuance/issuance-policy.ts';
import { createCaIssuer } from '@countersign/signer/issuers/ca.ts';
import { createSelfSignedIssuer } from '@countersign/signer/issuers/self-signed.ts';
import { checkKeyPair } from '@countersign/webhook/serving/check-key-pair.ts';
import { type KeyPairSource, readFromFiles, withClientCa } from '@countersign/webhook/serving/serving-certificate.ts';
import { buildIssuer } from '../support/ca-builder.ts';
import { buildCsr, buildRequest } from '../support/csr-builder.ts';
import { readinessOf } from '../support/issuer-case.ts';
import { valueOf } from '../support/pki.ts';
import { writeKubeconfig } from './runtime/fake-api-server.ts';

const dir = mkdtempSync(join(tmpdir(), 'countersign-mistakes-'));
const at = (name: string) => join(dir, name);
const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
const put = (name: string, content: string | Buffer) => writeFileSync(at(name), content);
const PASSWORD = ['-passout', 'pass:hush'];

before(() => {
  for (const name of ['own', 'other']) {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`];
    openssl('req', '-x509', ...key, '-subj', `/CN=${name}`, '-out', `${name}.crt`);
  }
  openssl('req', '-new', '-key', 'own.key', '-subj', '/CN=own', '-out', 'own.csr');
  openssl('pkcs12', '-export', '-inkey', 'own.key', '-in', 'own.crt', '-out', 'own.p12', ...PASSWORD);
  openssl('x509', '-in', 'own.crt', '-outform', 'DER', '-out', 'crt.der');
  openssl('req', '-in', 'own.csr', '-outform', 'DER', '-out', 'csr.der');
  openssl('pkcs8', '-topk8', '-nocrypt', '-in', 'own.key', '-outform', 'DER', '-out', 'pkcs8.der');
  openssl('ec', '-in', 'own.key', '-outform', 'DER', '-out', 'sec1.der');
  openssl('genrsa', '-traditional', '-out', 'rsa.key', '2048');
  openssl('rsa', '-in', 'rsa.key', '-traditional', '-outform', 'DER', '-out', 'pkcs1.der');
  openssl('pkcs8', '-topk8', '-in', 'own.key', '-out', 'encrypted.key', ...PASSWORD);
  openssl('pkcs8', '-topk8', '-in', 'own.key', '-outform', 'DER', '-out', 'encrypted.der', ...PASSWORD);
  openssl('ec', '-in', 'own.key', '-aes128', '-out', 'traditional.key', ...PASSWORD);
  openssl('crl2pkcs7', '-nocrl', '-certfile', 'own.crt', '-out', 'own.p7b');
  openssl('crl2pkcs7', '-nocrl', '-certfile', 'own.crt', '-outform', 'DER', '-out', 'p7b.der');
  openssl('pkey', '-in', 'own.key', '-pubout', '-out', 'public.pem');
  const [crt, key] = [readFileSync(at('own.crt')), readFileSync(at('own.key'))];
  put('both.pem', Buffer.concat([key, crt]));
  for (const [name, content] of Object.entries({ crt, key })) {
    put(`bom.${name}`, Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), content]));
    put(`utf16.${name}`, Buffer.from(`\ufeff${content.toString()}`, 'utf16le'));
    put(`base64.${name}`, content.toString('base64'));
  }
  put('empty', '');
  put('blank', ' \n');
  put('java.jks', Buffer.from('feedfeed0000000200000001', 'hex'));
  put('openssh', '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n');
  put('reversed.crt', Buffer.concat([readFileSync(at('other.crt')), crt]));
  mkdirSync(at('directory'));
});
after(() => rmSync(dir, { recursive: true }));

type Mistakes = Readonly<Record<string, RegExp>>;

const FOR_EITHER: Mistakes = {
  empty: /expected a (certificate|private key) in PEM, found no data/,
  blank: /, found no data/,
  'java.jks': /found a Java keystore, expected PEM: convert it to PKCS#12 with keytool, then extract the/,
  'public.pem': /found a public key, expected a (certificate|private key): use the/,
};

const FOR_CERTIFICATE: Mistakes = {
  ...FOR_EITHER,
  'own.p12': /found a PKCS#12 file, expected PEM: extract the certificates with "openssl pkcs12 -in <file> -nokeys"/,
  'crt.der':
    /found a certificate in DER, expected PEM: convert it with "openssl x509 -inform DER -in <file> -out <new file>"/,
  'csr.der': /found a certificate signing request, expected a certificate: use the certificate that was issued for it/,
  'own.csr': /found a certificate signing request, expected a certificate/,
  'own.key': /found a private key, expected a certificate: check whether the two are swapped/,
  'pkcs8.der': /found a private key, expected a certificate: check whether the two are swapped/,
  'encrypted.key': /found a private key, expected a certificate: check whether the two are swapped/,
  'own.p7b': /found a PKCS#7 bundle: extract the certificates with "openssl pkcs7 -print_certs -in <file>"/,
  'p7b.der': /found a PKCS#7 bundle/,
  'bom.crt': /found a byte order mark: save the file as UTF-8 without one/,
  'utf16.crt': /found UTF-16 text: save it as UTF-8 without a byte order mark/,
  'base64.crt': /found base64-encoded PEM: decode it once/,
};

const FOR_KEY: Mistakes = {
  ...FOR_EITHER,
  'own.p12': /found a PKCS#12 file, expected PEM: extract the key with "openssl pkcs12 -in <file> -nocerts -noenc"/,
  'own.crt': /found a certificate, expected a private key: check whether the two are swapped/,
  'crt.der': /found a certificate, expected a private key: check whether the two are swapped/,
  'own.csr': /found a certificate signing request, expected a private key: use the key that it was created with/,
  'pkcs8.der': /found a private key in DER, expected PEM: convert it with "openssl pkey -inform DER/,
  'sec1.der': /found a private key in DER, expected PEM/,
  'pkcs1.der': /found a private key in DER, expected PEM/,
  'encrypted.key': /found an encrypted private key: decrypt it with "openssl pkey -in <file> -out <new file>"/,
  'encrypted.der': /found an encrypted private key: decrypt it/,
  'traditional.key': /found an encrypted private key: decrypt it/,
  openssh: /found an OpenSSH private key: convert a copy of it with "ssh-keygen -p -m PKCS8 -f <copy>"/,
  'bom.key': /found a byte order mark/,
  'utf16.key': /found UTF-16 text/,
  'base64.key': /found base64-encoded PEM: decode it once/,
};

async function messageOf(run: () => unknown): Promise<string> {
  try {
    return String(await run());
  } catch (error) {
    return (error as Error).message;
  }
}

/** The files of the webhook, of which one is a mistake. */
const serve = (source: KeyPairSource) => async () => {
  checkKeyPair(await source(), new Date());
  return 'served';
};

const secretRef = { namespace: 'sandbox', name: 'my-ca' };
const secretOf = (files: Readonly<Record<string, string>>) => ({
  metadata: { name: 'my-ca', uid: 'uid', resourceVersion: '1' },
  data: Object.fromEntries(
    Object.entries(files).map(([key, file]) => [key, readFileSync(at(file)).toString('base64')]),
  ),
});
const observed = (files: Readonly<Record<string, string>>) => ({ ref: secretRef, secret: secretOf(files) });

/** The Ready condition of a CA issuer. */
const caWith = (files: Readonly<Record<string, string>>) => async () => {
  const issuer = createCaIssuer();
  const { condition } = await readinessOf(issuer, await issuer.load(observed(files)));
  return condition.message ?? '';
};

const selfSignedWith = (file: string) => async () => {
  const csr = buildCsr({ request: buildRequest(), annotations: { [PRIVATE_KEY_SECRET_NAME]: 'key' } });
  const handler = createSelfSignedIssuer();
  const request = {
    requested: toRequestedCertificate(csr, AS_CERT_MANAGER, { type: 'selfSigned' }),
    ref: valueOf(parseSignerName(csr.spec.signerName)),
    issuer: buildIssuer({ selfSigned: {} }),
    policy: AS_CERT_MANAGER,
  };
  const decision = handler.decide(request, await handler.load(observed({ 'tls.key': file })), new Date());
  return 'message' in decision ? decision.message : decision.kind;
};

const kubeconfigWith = (user: object, cluster: object) => () => {
  const path = writeKubeconfig(at('kubeconfig'), { ...user }, { server: 'https://127.0.0.1:1', ...cluster });
  return new CredentialSource(path, Date.now).read();
};

/** Where a file is given, what is wanted there, and how it is named. */
const PLACES: readonly (readonly [
  place: string,
  mistakes: Mistakes,
  give: (file: string) => () => unknown,
  names: RegExp,
])[] = [
  [
    '--tls-cert-file',
    FOR_CERTIFICATE,
    file => serve(readFromFiles(at(file), at('own.key'))),
    /^\/.*: (found|expected)/,
  ],
  ['--tls-key-file', FOR_KEY, file => serve(readFromFiles(at('own.crt'), at(file))), /^\/.*: (found|expected)/],
  [
    '--client-ca-file',
    FOR_CERTIFICATE,
    file => serve(withClientCa(readFromFiles(at('own.crt'), at('own.key')), at(file))),
    /^\/.*: (found|expected)/,
  ],
  [
    'certificate-authority',
    FOR_CERTIFICATE,
    file => kubeconfigWith({ token: 't' }, { 'certificate-authority': file }),
    /certificate-authority \/.*: (found|expected)/,
  ],
  [
    'client-certificate',
    FOR_CERTIFICATE,
    file => kubeconfigWith({ 'client-certificate': file, 'client-key': 'own.key' }, {}),
    /client-certificate \/.*: (found|expected)/,
  ],
  [
    'client-key',
    FOR_KEY,
    file => kubeconfigWith({ 'client-certificate': 'own.crt', 'client-key': file }, {}),
    /client-key \/.*: (found|expected)/,
  ],
  [
    'tls.crt of a CA',
    FOR_CERTIFICATE,
    file => caWith({ 'tls.key': 'own.key', 'tls.crt': file }),
    /^Error getting keypair/,
  ],
  [
    'ca.crt of a CA',
    FOR_CERTIFICATE,
    file => caWith({ 'tls.key': 'own.key', 'tls.crt': 'own.crt', 'ca.crt': file }),
    /^Error/,
  ],
  ['tls.key of a CA', FOR_KEY, file => caWith({ 'tls.key': file, 'tls.crt': 'own.crt' }), /^Error getting keypair/],
  ['tls.key of a SelfSigned request', FOR_KEY, file => selfSignedWith(file), /^Failed to parse signing key/],
];

/** In a kubeconfig and in a Secret that is as good as absent, which has words of its own. */
const IS_ABSENT = (place: string, file: string) => file === 'empty' && /(tls|ca)\.(crt|key)/.test(place);

describe('of a file that is no certificate or key in PEM the message says what it is,', () => {
  for (const [place, mistakes, give, names] of PLACES) {
    for (const [file, expected] of Object.entries(mistakes)) {
      if (IS_ABSENT(place, file)) continue;
      it(`given as ${place}: ${file}`, async () => {
        const message = await messageOf(give(file));
        assert.match(message, expected);
        assert.match(message, names);
        assert.doesNotMatch(message, /-----BEGIN [A-Z]|error:|MII|LS0t|hush/);
      });
    }
  }

  it('given as a directory', async () => {
    const files = [at('own.crt'), at('own.key')] as const;
    for (const [flag, source] of [
      ['--tls-cert-file', readFromFiles(at('directory'), files[1])],
      ['--tls-key-file', readFromFiles(files[0], at('directory'))],
      ['--client-ca-file', withClientCa(readFromFiles(...files), at('directory'))],
    ] as const) {
      assert.equal(await messageOf(source), `${flag}: ${at('directory')} is a directory, not a file`);
    }
  });

  it('given as paths that do not exist, of which all are reported', async () => {
    assert.equal(
      await messageOf(withClientCa(readFromFiles(at('no.crt'), at('no.key')), at('no-ca.crt'))),
      `--tls-cert-file: ${at('no.crt')} does not exist; --tls-key-file: ${at('no.key')} does not exist; ` +
        `--client-ca-file: ${at('no-ca.crt')} does not exist`,
    );
  });

  it('given in the wrong order', async () => {
    const message = await messageOf(serve(readFromFiles(at('reversed.crt'), at('own.key'))));
    assert.equal(
      message,
      `${at('reversed.crt')}: the private key matches certificate number 2: put that one first, followed by its issuer, and so on`,
    );
  });
});

describe('what can be used is used:', () => {
  it('a file with both certificate and key, given as either', async () => {
    assert.equal(await messageOf(serve(readFromFiles(at('both.pem'), at('both.pem')))), 'served');
  });
  it('a certificate and its key', async () => {
    assert.equal(await messageOf(serve(readFromFiles(at('own.crt'), at('own.key')))), 'served');
    assert.equal(await messageOf(caWith({ 'tls.key': 'own.key', 'tls.crt': 'own.crt' })), 'Signing CA verified');
    assert.equal(
      await messageOf(selfSignedWith('other.key')),
      'Referenced private key in Secret does not match that in the request',
    );
  });
});
