// Run by `helm test`: creates a request as a user who may reference the Issuer, one as a user who may not, and one that only the webhook
// rejects, and checks the responses. Uses dry runs only, so nothing is created; neither the Issuer nor the users need to exist.
// With POLICY_NAME, also waits for the condition that the approver writes to this ApprovalPolicy.

import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port, TOKEN_FILE, SIGNER_NAME } = process.env;
const { PERMITTED_USER, UNPERMITTED_USER, LABELS = '{}', POLICY_NAME, DEADLINE_SECONDS = '60' } = process.env;
const API = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
const URL_OF_REQUESTS = `${API}/apis/certificates.k8s.io/v1/certificatesigningrequests?dryRun=All`;
const URL_OF_POLICY = `${API}/apis/approval.countersign.io/v1alpha1/approvalpolicies/${POLICY_NAME}`;
const DEADLINE = Date.now() + Number(DEADLINE_SECONDS) * 1_000;

/** PKCS#10 for CN=countersign-helm-test (PEM, in base64). Its private key was discarded. */
const PKCS10 =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIY01JR0NBZ0VBTUNBeEhqQWNCZ05WQkFNTUZXTnZkVzUwWlhKemFXZHVMV2hsYkcwdGRHVnpkREJaTUJNRwpCeXFHU000OUFnRUdDQ3FHU000OUF3RUhBMElBQkxUMXBJTHVFS0JoeGlYbjJSRUtFUVcrSVRrZXUxekc3SnU1CkpoTU43WXZiaDFta3NEVEp5VEQ5NmtqQTRNaWlIY0RLVU1EekQ5dm9CaklweEFkTDZTYWdBREFLQmdncWhrak8KUFFRREFnTkpBREJHQWlFQS9LM1VBWXZ0dU9kRTJORk1Rb2FnMmtESzVUejFtalpGWTZsc0I2aTl2b0FDSVFDNAo0SjBKS1N6M250VU5valRITURrUTNxOXNLTmJhUElveU4ra080YmlWbEE9PQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K';

const CSR = {
  apiVersion: 'certificates.k8s.io/v1',
  kind: 'CertificateSigningRequest',
  metadata: { generateName: 'countersign-helm-test-', labels: JSON.parse(LABELS) },
  spec: { signerName: SIGNER_NAME, request: PKCS10, usages: ['digital signature', 'server auth'] },
};

/** The admission policy does not check durations, so only the webhook rejects this one. */
const annotations = { 'experimental.cert-manager.io/request-duration': 'unreadable' };
const INVALID_DURATION = { ...CSR, metadata: { ...CSR.metadata, annotations } };

const print = line => process.stdout.write(`${line}\n`);

const authorize = async () => ({ authorization: `Bearer ${(await readFile(TOKEN_FILE, 'utf8')).trim()}` });

async function dryRun(user, csr) {
  const response = await fetch(URL_OF_REQUESTS, {
    method: 'POST',
    headers: { ...(await authorize()), 'content-type': 'application/json', 'impersonate-user': user },
    body: JSON.stringify(csr),
    signal: AbortSignal.timeout(10_000),
  });
  const { message = '' } = await response.json();
  return { code: response.status, message };
}

const isCreated = ({ code }) => code === 201;
const isDenied = ({ code, message }) => code === 403 && message.includes('may not reference Namespaced Issuer');
const isRejectedByWebhook = ({ code, message }) =>
  code === 422 && message.includes('webhook "requests.countersign.io" denied');

/** Retries until the expected answer, because roles and endpoints take a moment to propagate. A forbidden answer fails at once. */
async function expect(user, csr, isExpected, isFatal) {
  for (;;) {
    const answer = await dryRun(user, csr).catch(error => ({ code: 0, message: String(error.cause ?? error) }));
    print(`${user}: ${answer.code} ${answer.message.split('\n')[0]}`);
    if (isExpected(answer)) return true;
    if (isFatal(answer) || Date.now() > DEADLINE) return false;
    await sleep(1_000);
  }
}

/** The status of the Ready condition of the policy, or why it cannot be read. */
async function readPolicy() {
  const response = await fetch(URL_OF_POLICY, { headers: await authorize(), signal: AbortSignal.timeout(10_000) });
  const { status, message = 'no condition yet' } = await response.json();
  const ready = status?.conditions?.find?.(({ type }) => type === 'Ready');
  return ready?.status ?? message;
}

async function isPolicyReady() {
  for (;;) {
    const ready = await readPolicy().catch(error => String(error.cause ?? error));
    print(`ApprovalPolicy ${POLICY_NAME}: Ready ${ready}`);
    if (ready === 'True') return true;
    if (Date.now() > DEADLINE) return false;
    await sleep(1_000);
  }
}

const isPermitted = await expect(PERMITTED_USER, CSR, isCreated, isDenied);
const unpermittedIsDenied = await expect(UNPERMITTED_USER, CSR, isDenied, isCreated);
const isChecked = await expect(PERMITTED_USER, INVALID_DURATION, isRejectedByWebhook, isCreated);
if (!isPermitted) print(`FAILED: ${PERMITTED_USER} may reference the Issuer, but could not create a request`);
if (!unpermittedIsDenied) print(`FAILED: ${UNPERMITTED_USER} may not reference the Issuer, but was not denied`);
if (!isChecked) print('FAILED: the webhook did not reject an invalid duration: the API server did not call it');
const isApproverWorking = POLICY_NAME === undefined || (await isPolicyReady());
if (!isApproverWorking) print('FAILED: the approver did not write the Ready condition of an ApprovalPolicy');
process.exitCode = isPermitted && unpermittedIsDenied && isChecked && isApproverWorking ? 0 : 1;
