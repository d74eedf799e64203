// Run by `helm test`: asks for a request as a user who may reference the Issuer and as one who may not, and for one that only the
// webhook refuses, and checks the answers. Dry runs only, so that nothing is ever created; neither the Issuer nor the users need exist.

import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port, TOKEN_FILE, SIGNER_NAME } = process.env;
const { PERMITTED_USER, UNPERMITTED_USER, LABELS = '{}' } = process.env;
const PATH = '/apis/certificates.k8s.io/v1/certificatesigningrequests?dryRun=All';
const URL_OF_REQUESTS = `https://${host.includes(':') ? `[${host}]` : host}:${port}${PATH}`;
const DEADLINE = Date.now() + 60_000;

/** PKCS#10 for CN=countersign-helm-test (PEM, in base64). Its key is nobody's. */
const PKCS10 =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIY01JR0NBZ0VBTUNBeEhqQWNCZ05WQkFNTUZXTnZkVzUwWlhKemFXZHVMV2hsYkcwdGRHVnpkREJaTUJNRwpCeXFHU000OUFnRUdDQ3FHU000OUF3RUhBMElBQkxUMXBJTHVFS0JoeGlYbjJSRUtFUVcrSVRrZXUxekc3SnU1CkpoTU43WXZiaDFta3NEVEp5VEQ5NmtqQTRNaWlIY0RLVU1EekQ5dm9CaklweEFkTDZTYWdBREFLQmdncWhrak8KUFFRREFnTkpBREJHQWlFQS9LM1VBWXZ0dU9kRTJORk1Rb2FnMmtESzVUejFtalpGWTZsc0I2aTl2b0FDSVFDNAo0SjBKS1N6M250VU5valRITURrUTNxOXNLTmJhUElveU4ra080YmlWbEE9PQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K';

const CSR = {
  apiVersion: 'certificates.k8s.io/v1',
  kind: 'CertificateSigningRequest',
  metadata: { generateName: 'countersign-helm-test-', labels: JSON.parse(LABELS) },
  spec: { signerName: SIGNER_NAME, request: PKCS10, usages: ['digital signature', 'server auth'] },
};

/** The admission policy, where there is one, knows nothing of durations. */
const annotations = { 'experimental.cert-manager.io/request-duration': 'unreadable' };
const UNREADABLE = { ...CSR, metadata: { ...CSR.metadata, annotations } };

const say = line => process.stdout.write(`${line}\n`);

async function ask(user, csr) {
  const token = await readFile(TOKEN_FILE, 'utf8');
  const response = await fetch(URL_OF_REQUESTS, {
    method: 'POST',
    headers: { authorization: `Bearer ${token.trim()}`, 'content-type': 'application/json', 'impersonate-user': user },
    body: JSON.stringify(csr),
    signal: AbortSignal.timeout(10_000),
  });
  const { message = '' } = await response.json();
  return { code: response.status, message };
}

const isCreated = ({ code }) => code === 201;
const isRefused = ({ code, message }) => code === 403 && message.includes('may not reference Namespaced Issuer');
const isRefusedByWebhook = ({ code, message }) =>
  code === 422 && message.includes('webhook "requests.countersign.io" denied');

/** Roles and endpoints take a moment to be known everywhere: only the answer that must never come ends it at once. */
async function expect(user, csr, isRight, isFatal) {
  for (;;) {
    const answer = await ask(user, csr).catch(error => ({ code: 0, message: String(error.cause ?? error) }));
    say(`${user}: ${answer.code} ${answer.message.split('\n')[0]}`);
    if (isRight(answer)) return true;
    if (isFatal(answer) || Date.now() > DEADLINE) return false;
    await sleep(1_000);
  }
}

const isPermitted = await expect(PERMITTED_USER, CSR, isCreated, isRefused);
const isBarred = await expect(UNPERMITTED_USER, CSR, isRefused, isCreated);
const isChecked = await expect(PERMITTED_USER, UNREADABLE, isRefusedByWebhook, isCreated);
if (!isPermitted) say(`FAILED: ${PERMITTED_USER} may reference the Issuer, and could not make a request`);
if (!isBarred) say(`FAILED: ${UNPERMITTED_USER} may not reference the Issuer, and was not refused for that`);
if (!isChecked)
  say('FAILED: a duration that cannot be read was not refused by the webhook: the API server did not ask it');
process.exitCode = isPermitted && isBarred && isChecked ? 0 : 1;
