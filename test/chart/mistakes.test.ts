// Values that are well-formed and cannot work: the chart refuses each before anything is changed, and says what to give instead.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CA_BUNDLE, runTemplate, type Values } from './helm.ts';

const subject = { kind: 'User', name: 'jane' };
const referencer = { namespace: 'sandbox', issuer: 'my-issuer', subjects: [subject] };

const PRIVATE_KEY = '-----BEGIN PRIVATE KEY-----\nYQ==\n-----END PRIVATE KEY-----\n';

const MISTAKES: readonly { readonly name: string; readonly says: RegExp; readonly values: Values }[] = [
  {
    name: 'a certificate without the CA that signed it',
    says: /webhook\.certificate\.caBundle is empty: in mode secret give the CA/,
    values: { webhook: { certificate: { mode: 'secret' } } },
  },
  {
    name: 'a CA for a webhook that makes its own',
    says: /webhook\.certificate: caBundle is given, but .* set mode: secret/,
    values: { webhook: { certificate: { caBundle: CA_BUNDLE } } },
  },
  {
    name: 'one port for two listeners',
    says: /webhook\.port and webhook\.httpPort are both 9402/,
    values: { webhook: { port: 9402 } },
  },
  {
    name: 'a ServiceAccount that is neither made nor named',
    says: /signer\.serviceAccount: with create: false, name must say/,
    values: { signer: { serviceAccount: { create: false } } },
  },
  ...['1s', '9m59.9s', '500ms'].map(maxDuration => ({
    name: `a maximum of ${maxDuration}, with which no pod starts`,
    says: new RegExp(`policy\\.maxDuration: ${maxDuration} is less than 10m`),
    values: { policy: { maxDuration } },
  })),
  {
    name: 'certificates that begin more than a day before their signature',
    says: /policy\.backdate: 24h1s is more than 24h/,
    values: { policy: { backdate: '24h1s' } },
  },
  {
    name: 'a Lease that lasts four seconds',
    says: /signer\.leaseDuration: 4s is not between 5s and 5m/,
    values: { signer: { leaseDuration: '4s' } },
  },
  {
    name: 'a maximum in days',
    says: /policy\.maxDuration: "30d" is not a Go duration: give hours, minutes and seconds, such as 720h \(30 days\)/,
    values: { policy: { maxDuration: '30d' } },
  },
  {
    name: 'a time without a unit',
    says: /policy\.backdate: "300" is not a Go duration/,
    values: { policy: { backdate: '300' } },
  },
  {
    name: 'a Lease that lasts fractions of a second',
    says: /signer\.leaseDuration: "15\.5s" is not a duration of whole minutes and seconds/,
    values: { signer: { leaseDuration: '15.5s' } },
  },
  {
    name: 'a webhook without TLS',
    says: /webhook\.url: "http:\/\/127\.0\.0\.1\/validate" does not start with https:\/\//,
    values: { webhook: { url: 'http://127.0.0.1/validate' } },
  },
  ...['https://127.0.0.1:8443', 'https://127.0.0.1:8443/'].map(url => ({
    name: `a webhook without a path, ${url}`,
    says: /has no path, and the webhook answers at \/validate only: give https:\/\/127\.0\.0\.1:8443\/validate/,
    values: { webhook: { url } },
  })),
  {
    name: 'a webhook with a query',
    says: /webhook\.url: .* has a user, a query, a fragment or a space/,
    values: { webhook: { url: 'https://127.0.0.1/validate?a=b' } },
  },
  ...['-----BEGIN', 'QUJD\nQUJD\n'].map(caBundle => ({
    name: `a CA that is not base64 on one line: ${JSON.stringify(caBundle)}`,
    says: /webhook\.certificate\.caBundle is not base64 on one line: give .* base64 < ca\.crt \| tr -d/,
    values: { webhook: { certificate: { mode: 'secret', caBundle } } },
  })),
  {
    name: 'a CA bundle without a certificate',
    says: /webhook\.certificate\.caBundle has no certificate in it/,
    values: { webhook: { certificate: { mode: 'secret', caBundle: 'YQ==' } } },
  },
  {
    name: 'a private key in the CA bundle, where everybody could read it',
    says: /webhook\.certificate\.caBundle has a private key in it/,
    values: { webhook: { certificate: { mode: 'secret', caBundle: Buffer.from(PRIVATE_KEY).toString('base64') } } },
  },
  {
    name: 'a user with a namespace',
    says: /referencers: User "jane" of sandbox\/my-issuer has a namespace, which only a ServiceAccount is in/,
    values: { referencers: [{ ...referencer, subjects: [{ ...subject, namespace: 'a' }] }] },
  },
  {
    name: 'an image with its tag in the repository',
    says: /signer\.image\.repository: "r\.example\.com:5000\/signer:v2" has a tag: put v2 into signer\.image\.tag/,
    values: { signer: { image: { repository: 'r.example.com:5000/signer:v2' } } },
  },
  {
    name: 'an image with its digest in the repository',
    says: /webhook\.image\.repository: .* has a digest: put it into webhook\.image\.digest/,
    values: { webhook: { image: { repository: `a/webhook@sha256:${'0'.repeat(64)}` } } },
  },
  {
    name: 'a flag that the chart gives already, with which no pod starts',
    says: /signer\.extraArgs: --workers=3 is given already, as --workers=32: set the value of the chart/,
    values: { signer: { extraArgs: ['--workers=3'] } },
  },
  {
    name: 'a flag that is given twice',
    says: /webhook\.extraArgs: --drain-delay=2s is given already, as --drain-delay=1s/,
    values: { webhook: { extraArgs: ['--drain-delay=1s', '--drain-delay=2s'] } },
  },
  {
    name: 'another namespace for the pod',
    says: /signer\.extraEnv: the chart sets POD_NAMESPACE itself/,
    values: { signer: { extraEnv: [{ name: 'POD_NAMESPACE', value: 'a' }] } },
  },
  ...['app.kubernetes.io/component', 'app.kubernetes.io/version'].map(key => ({
    name: `a label of the chart among those of the pods: ${key}`,
    says: new RegExp(`webhook\\.podLabels: ${key} is a label of the chart, by which Services and Deployments find`),
    values: { webhook: { podLabels: { [key]: 'a' } } },
  })),
];

for (const { name, says, values } of MISTAKES) {
  test(`the chart refuses ${name}`, async () => {
    const { code, stderr } = await runTemplate(values);
    assert.notEqual(code, 0);
    assert.match(stderr, says);
  });
}

test('the chart takes durations up to their bounds', async () => {
  for (const policy of [
    { maxDuration: '10m', backdate: '24h' },
    { maxDuration: '0s', backdate: '0h' },
  ]) {
    const { code, stderr } = await runTemplate({ policy });
    assert.equal(code, 0, stderr);
  }
});

test('an Issuer that is given twice in referencers is refused, since its two Roles would have one name', async () => {
  const { code, stderr } = await runTemplate({ referencers: [referencer, referencer] });
  assert.notEqual(code, 0);
  assert.match(stderr, /sandbox\/my-issuer is given twice/);
});
