// Values that satisfy the schema but cannot work: the chart rejects each before anything is changed, and says what to
// set instead.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CA_BUNDLE, runTemplate, type Values } from './helm.ts';

const subject = { kind: 'User', name: 'jane' };
const referencer = { namespace: 'sandbox', issuer: 'my-issuer', subjects: [subject] };

const thingType = { name: 'things.things.example.com', kind: 'Thing', scope: 'Namespaced' };

function clusterReferencer(of: object): object {
  return { issuer: 'public', subjects: [of] };
}

const PRIVATE_KEY = '-----BEGIN PRIVATE KEY-----\nYQ==\n-----END PRIVATE KEY-----\n';

const MISTAKES: readonly { readonly name: string; readonly message: RegExp; readonly values: Values }[] = [
  {
    name: 'a serving certificate without its CA',
    message: /webhook\.certificate\.caBundle is required in mode secret: set it to .* base64 < ca\.crt \| tr -d '\\n'/,
    values: { webhook: { certificate: { mode: 'secret' } } },
  },
  {
    name: 'a CA for a webhook that creates its own',
    message: /webhook\.certificate\.caBundle is set, but .* set webhook\.certificate\.mode to secret/,
    values: { webhook: { certificate: { caBundle: CA_BUNDLE } } },
  },
  {
    name: 'one port for two listeners',
    message: /webhook\.port and webhook\.httpPort are both 9402: set them to different ports/,
    values: { webhook: { port: 9402 } },
  },
  {
    name: 'a ServiceAccount that is neither created nor named',
    message: /signer\.serviceAccount\.name is empty: with create: false, set it to/,
    values: { signer: { serviceAccount: { create: false } } },
  },
  ...['1s', '9m59.9s', '500ms'].map(maxDuration => ({
    name: `a maximum duration of ${maxDuration}`,
    message: new RegExp(`policy\\.maxDuration: ${maxDuration} is below 10m`),
    values: { policy: { maxDuration } },
  })),
  {
    name: 'backdating by more than a day',
    message: /policy\.backdate: 24h1s is above the maximum of 24h/,
    values: { policy: { backdate: '24h1s' } },
  },
  {
    name: 'a Lease duration of four seconds',
    message: /signer\.leaseDuration: 4s is out of range: use 5s to 5m/,
    values: { signer: { leaseDuration: '4s' } },
  },
  {
    name: 'external issuers without delegation',
    message:
      /delegation\.externalIssuers: things\.things\.example\.com has no effect without delegation: set delegation\.enabled/,
    values: { delegation: { externalIssuers: [thingType] } },
  },
  {
    name: 'an external type of cert-manager itself',
    message: /issuers\.cert-manager\.io is in the group cert-manager\.io, which is reserved/,
    values: { delegation: { enabled: true, externalIssuers: [{ ...thingType, name: 'issuers.cert-manager.io' }] } },
  },
  {
    name: 'an external type of the cluster',
    message: /nodes\.x\.kubernetes\.io is in the group x\.kubernetes\.io, which is reserved/,
    values: { delegation: { enabled: true, externalIssuers: [{ ...thingType, name: 'nodes.x.kubernetes.io' }] } },
  },
  {
    name: 'an external type that is listed twice',
    message: /delegation\.externalIssuers: things\.things\.example\.com is listed twice/,
    values: { delegation: { enabled: true, externalIssuers: [thingType, thingType] } },
  },
  {
    name: 'a referencer of an external type that is not listed',
    message:
      /referencers: type things\.things\.example\.com is not in delegation\.externalIssuers with the scope Namespaced/,
    values: { referencers: [{ ...referencer, type: thingType.name }] },
  },
  {
    name: 'a referencer of an external type with the other scope',
    message: /clusterReferencers: type things\.things\.example\.com is not in .* with the scope Cluster/,
    values: {
      delegation: { enabled: true, externalIssuers: [thingType] },
      clusterReferencers: [{ ...clusterReferencer(subject), type: thingType.name }],
    },
  },
  {
    name: 'an approver for an external type that is not listed',
    message:
      /approver\.signerNames: things\.things\.example\.com\/\* is of the type .*, which is not in delegation\.externalIssuers/,
    values: { approver: { enabled: true, signerNames: ['things.things.example.com/*'] } },
  },
  {
    name: 'a maximum duration in days',
    message:
      /policy\.maxDuration: "30d" is not a Go duration: use hours, minutes and seconds, such as 720h \(30 days\)/,
    values: { policy: { maxDuration: '30d' } },
  },
  {
    name: 'a duration without a unit',
    message: /policy\.backdate: "300" is not a Go duration/,
    values: { policy: { backdate: '300' } },
  },
  {
    name: 'a Lease duration with a fraction of a second',
    message: /signer\.leaseDuration: "15\.5s" is not a duration in whole minutes and seconds/,
    values: { signer: { leaseDuration: '15.5s' } },
  },
  {
    name: 'a webhook URL without TLS',
    message: /webhook\.url: "http:\/\/127\.0\.0\.1\/validate" does not start with https:\/\//,
    values: { webhook: { url: 'http://127.0.0.1/validate' } },
  },
  ...['https://127.0.0.1:8443', 'https://127.0.0.1:8443/'].map(url => ({
    name: `a webhook URL without a path: ${url}`,
    message: /has no path, but the webhook serves only \/validate: use https:\/\/127\.0\.0\.1:8443\/validate/,
    values: { webhook: { url } },
  })),
  {
    name: 'a webhook URL with a query',
    message: /webhook\.url: .* contains a user, a query, a fragment or a space/,
    values: { webhook: { url: 'https://127.0.0.1/validate?a=b' } },
  },
  ...['-----BEGIN', 'QUJD\nQUJD\n'].map(caBundle => ({
    name: `a CA bundle that is not base64 on one line: ${JSON.stringify(caBundle)}`,
    message: /webhook\.certificate\.caBundle is not base64 on one line: set it to .* base64 < ca\.crt \| tr -d/,
    values: { webhook: { certificate: { mode: 'secret', caBundle } } },
  })),
  {
    name: 'a CA bundle without a certificate',
    message: /webhook\.certificate\.caBundle contains no PEM certificate/,
    values: { webhook: { certificate: { mode: 'secret', caBundle: 'YQ==' } } },
  },
  {
    name: 'a private key in the CA bundle',
    message: /webhook\.certificate\.caBundle contains a private key/,
    values: { webhook: { certificate: { mode: 'secret', caBundle: Buffer.from(PRIVATE_KEY).toString('base64') } } },
  },
  {
    name: 'a User subject with a namespace',
    message:
      /referencers: subject User "jane" of Issuer sandbox\/my-issuer has a namespace, but only ServiceAccounts are/,
    values: { referencers: [{ ...referencer, subjects: [{ ...subject, namespace: 'a' }] }] },
  },
  {
    name: 'a Group subject of a ClusterIssuer with a namespace',
    message: /clusterReferencers: subject Group "jane" of ClusterIssuer public has a namespace, but only Service/,
    values: { clusterReferencers: [clusterReferencer({ kind: 'Group', name: 'jane', namespace: 'a' })] },
  },
  {
    name: 'a ServiceAccount subject of a ClusterIssuer without a namespace',
    message: /clusterReferencers: subject ServiceAccount "web" of ClusterIssuer public has no namespace, .* add the/,
    values: { clusterReferencers: [clusterReferencer({ kind: 'ServiceAccount', name: 'web' })] },
  },
  ...['59m59s', '2184h1s'].map(maxDuration => ({
    name: `certificates for pods of at most ${maxDuration}`,
    message: new RegExp(`podCertificates\\.maxDuration: ${maxDuration} is out of range: use 1h to 2184h`),
    values: { podCertificates: { maxDuration } },
  })),
  {
    name: "backdating pods' certificates by five minutes, which the API server rejects",
    message: /podCertificates\.backdate: 5m is out of range: use 0s to 4m/,
    values: { podCertificates: { backdate: '5m' } },
  },
  {
    name: 'a lifetime of pod certificates with a fraction of a second',
    message: /podCertificates\.maxDuration: 3600\.5s has a fraction of a second: use whole seconds/,
    values: { podCertificates: { maxDuration: '3600.5s' } },
  },
  ...['7d', '', '86400'].map(maxDuration => ({
    name: `a lifetime of pod certificates that is no duration: "${maxDuration}"`,
    message: new RegExp(`podCertificates\\.maxDuration: "${maxDuration}" is not a Go duration: use hours`),
    values: { podCertificates: { maxDuration } },
  })),
  ...['10.0.0.1', '10.0.0.1/33', 'fd00::1/129', '10.0.0/8', 'fd00/8'].map(cidr => ({
    name: `an invalid CIDR: ${cidr}`,
    message: new RegExp(
      `networkPolicy\\.apiServer\\.cidrs: "${cidr.replaceAll('.', '\\.')}" is not a CIDR: use .* such as 10\\.0\\.0\\.1/32`,
    ),
    values: { networkPolicy: { apiServer: { cidrs: [cidr] } } },
  })),
  {
    name: 'a tag in the image repository',
    message:
      /signer\.image\.repository: "r\.example\.com:5000\/signer:v2" contains a tag: set signer\.image\.tag to "v2"/,
    values: { signer: { image: { repository: 'r.example.com:5000/signer:v2' } } },
  },
  {
    name: 'a digest in the image repository',
    message: /webhook\.image\.repository: .* contains a digest: set webhook\.image\.digest/,
    values: { webhook: { image: { repository: `a/webhook@sha256:${'0'.repeat(64)}` } } },
  },
  {
    name: 'a flag that the chart sets',
    message: /signer\.extraArgs: --workers=3 conflicts with --workers=32, which is already set/,
    values: { signer: { extraArgs: ['--workers=3'] } },
  },
  {
    name: 'a duplicate flag',
    message: /webhook\.extraArgs: --drain-delay=2s conflicts with --drain-delay=1s, which is already set/,
    values: { webhook: { extraArgs: ['--drain-delay=1s', '--drain-delay=2s'] } },
  },
  {
    name: 'another POD_NAMESPACE',
    message: /signer\.extraEnv: the chart sets POD_NAMESPACE to the pod's namespace: remove it/,
    values: { signer: { extraEnv: [{ name: 'POD_NAMESPACE', value: 'a' }] } },
  },
  ...['app.kubernetes.io/component', 'app.kubernetes.io/version'].map(key => ({
    name: `a pod label that the chart sets: ${key}`,
    message: new RegExp(`webhook\\.podLabels: the chart sets the label ${key} itself`),
    values: { webhook: { podLabels: { [key]: 'a' } } },
  })),
];

for (const { name, message, values } of MISTAKES) {
  test(`the chart rejects ${name}`, async () => {
    const { code, stderr } = await runTemplate(values);
    assert.notEqual(code, 0);
    assert.match(stderr, message);
  });
}

test('the chart accepts durations at their limits', async () => {
  for (const policy of [
    { maxDuration: '10m', backdate: '24h' },
    { maxDuration: '0s', backdate: '0h' },
  ]) {
    const { code, stderr } = await runTemplate({ policy });
    assert.equal(code, 0, stderr);
  }
});

test('the chart accepts durations of pod certificates at their limits, and ignores them if there are no such certificates', async () => {
  for (const podCertificates of [
    { maxDuration: '1h', backdate: '0s' },
    { maxDuration: '2184h', backdate: '4m' },
    { enabled: false, maxDuration: '5m' },
  ]) {
    const { code, stderr } = await runTemplate({ podCertificates });
    assert.equal(code, 0, stderr);
  }
});

test('the chart rejects a ClusterIssuer that clusterReferencers lists twice', async () => {
  const twice = clusterReferencer(subject);
  const { code, stderr } = await runTemplate({ clusterReferencers: [twice, twice] });
  assert.notEqual(code, 0);
  assert.match(stderr, /clusterReferencers: ClusterIssuer public is listed twice/);
});

test('the chart rejects an Issuer that referencers lists twice, because both Roles would have the same name', async () => {
  const { code, stderr } = await runTemplate({ referencers: [referencer, referencer] });
  assert.notEqual(code, 0);
  assert.match(stderr, /referencers: Issuer sandbox\/my-issuer is listed twice/);
});
