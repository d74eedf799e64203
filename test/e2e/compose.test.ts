// The compose stack as users run it: up, one denial, one certificate, the kubeconfigs, Prometheus, down. Also checks
// that docker-compose.yml uses the versions that the other tests run.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { chown, readFile, stat } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { readVersion } from '../../build/image-contents.ts';
import { ROWS as DASHBOARD } from '../../docs/dashboard/rows.ts';
import { requirementOf } from '../support/continuous-integration.ts';
import { readToolModule } from '../support/control-plane/tools.ts';
import { provideEnginePrograms } from '../support/docker/engine-programs.ts';
import { moduleFolder } from '../support/docker/module-tool.ts';
import { COMPOSE_FILE, ComposeStack, FOLDER_OWNER } from './compose-stack.ts';

const programs = provideEnginePrograms();
/** Milliseconds for one test. On a busy machine, the stack starts within half a minute. */
const BOUND = { timeout: 150_000 };
const requirement = requirementOf(programs);
/** Panels that are empty until something fails or a watch is closed. */
const ONLY_AFTER_TROUBLE: ReadonlySet<string> = new Set([
  'Approved, but waiting, by reason',
  'CSRs that no policy decides on, by reason',
  'Failed runs of the approver',
  'Closed watches',
  'Refused requests by issuer type',
  'Oldest approved CSR without a certificate, by issuer type',
]);

/** The stack has no kubelet, which creates PodCertificateRequests, and no Vault server. */
const ONLY_WITH_PODS_OR_VAULT: ReadonlySet<string> = new Set([
  'Certificates by issuer type',
  'Calls to Vault, by result',
  'Latency of Vault (p99)',
  'Waiting requests of pods, by reason',
  'Requests of pods processed to completion',
  'From the request of a pod to its certificate',
]);

describe('docker-compose.yml', async () => {
  const { services } = parse(await readFile(COMPOSE_FILE, 'utf8'), { merge: true });
  const controlPlane = await readToolModule();
  const ours = await readVersion();
  for (const [service, wanted] of [
    ['kube-apiserver', controlPlane.kubernetesVersion],
    ['etcd', await requiredVersion(controlPlane.dir, /go\.etcd\.io\/etcd\/server\/v3 (v[\d.]+)/)],
    // Prometheus 3.16.0 is version v0.316.0 of its Go module.
    ['prometheus', (await requiredVersion(moduleFolder('prometheus'), / (v0\.3\d\d\.\d+)/)).replace('v0.3', 'v3.')],
    ['webhook', ours],
    ['signer', ours],
    ['approver', ours],
    ['setup', ours],
  ] as const) {
    test(`the image of ${service} has the version that the other tests run`, () => {
      assert.match(services[service].image, new RegExp(`:${wanted.replaceAll('.', String.raw`\.`)}}+$`));
    });
  }
});

describe('docker compose', requirement, () => {
  let stack: ComposeStack;
  before(async () => {
    if (typeof programs === 'string') throw new Error(programs);
    stack = await ComposeStack.open(programs);
    await chown(stack.kubeconfigs, FOLDER_OWNER.uid, FOLDER_OWNER.gid);
  });
  after(() => stack?.close());

  test('docker compose up --wait starts everything, and returns when it is healthy', BOUND, async () => {
    await stack.compose('up', '--wait', '--wait-timeout', '90');
    assert.deepEqual(await states(), {
      approver: 'running healthy',
      certificates: 'exited 0',
      etcd: 'running',
      'kube-apiserver': 'running',
      prometheus: 'running healthy',
      setup: 'exited 0',
      signer: 'running healthy',
      webhook: 'running healthy',
    });
  });

  test('mallory is denied, and the message names the missing permission', BOUND, async () => {
    const { code, stdout } = await stack.tryCompose('run', '--rm', '-T', 'request', 'mallory');
    assert.equal(code, 1, stdout);
    assert.match(stdout, /refused \(DeniedReference\): .*user "mallory" cannot reference/);
  });

  test('jane gets a certificate signed by the CA of the Issuer', BOUND, async () => {
    const [leaf, ca] = [new X509Certificate(await stack.compose(...askAs('jane')).then(onlyPem)), await demoCa()];
    assert.ok(leaf.verify(ca.publicKey));
    assert.equal(leaf.subjectAltName, 'DNS:jane.example.com');
  });

  test('the kubeconfigs work outside the stack, and only the owner of their folder can read them', BOUND, async () => {
    const { uid, gid, mode } = await stat(`${stack.kubeconfigs}/admin.kubeconfig`);
    assert.deepEqual({ uid, gid, mode: mode & 0o777 }, { ...FOLDER_OWNER, mode: 0o400 });
    const issuers = await stack.kubectl('admin', 'get', 'issuers', '-n', 'demo', '-o', 'wide');
    assert.match(issuers.stdout, /demo-ca +True +Signing CA verified/, issuers.stderr);
    const secrets = await stack.kubectl('jane', 'get', 'secrets', '-n', 'demo');
    assert.match(secrets.stderr, /User "jane" cannot list resource "secrets"/);
  });

  test('Prometheus scrapes the services', BOUND, async () => {
    await eventually(async () => {
      const refused = await query('sum(countersign_webhook_admissions_total{reason="DeniedReference"})');
      assert.deepEqual(refused, ['1']);
      assert.deepEqual(await query('sum(countersign_certificates_total{result="issued"})'), ['1']);
    });
    assert.deepEqual(await query('up'), ['1', '1', '1']);
  });

  test('Prometheus answers every query of the dashboard', BOUND, async () => {
    // A rate needs an increase between two scrapes, and all requests so far may precede the first scrape.
    await stack.tryCompose('run', '--rm', '-T', 'request', 'mallory');
    await eventually(async () => {
      const empty: string[] = [];
      for (const { title, queries } of DASHBOARD.flatMap(({ stats = [], panels }) => [...stats, ...panels])) {
        const answers = await Promise.all(queries.map(({ expr }) => query(forPrometheus(expr))));
        if (answers.some(answer => answer.length === 0)) empty.push(title);
      }
      assert.deepEqual(
        empty.filter(title => !ONLY_AFTER_TROUBLE.has(title) && !ONLY_WITH_PODS_OR_VAULT.has(title)),
        [],
      );
    });
  });

  test('docker compose down and up keeps the state of the cluster', BOUND, async () => {
    await stack.compose('down', '--timeout', '5');
    await stack.compose('up', '--wait', '--wait-timeout', '90');
    const requests = await stack.kubectl('admin', 'get', 'csr', '-o', 'name');
    assert.match(requests.stdout, /^certificatesigningrequest\S+\/jane-\w+\n$/, requests.stderr);
    await stack.compose(...askAs('jane'));
  });

  test('docker compose down --volumes leaves no container, volume or network', BOUND, async () => {
    await stack.compose('--profile', 'demo', 'down', '--volumes', '--timeout', '5');
    const left = [
      await stack.docker(['ps', '--all', '--quiet']),
      await stack.docker(['volume', 'ls', '--quiet']),
      await stack.docker(['network', 'ls', '--quiet', '--filter', 'type=custom']),
    ];
    assert.deepEqual(left, ['', '', '']);
  });

  async function states(): Promise<Record<string, string>> {
    const lines = (await stack.compose('ps', '--all', '--format', 'json')).trim().split('\n');
    const containers: Container[] = lines.map(line => JSON.parse(line));
    return Object.fromEntries(containers.map(container => [container.Service, stateOf(container)]));
  }

  async function demoCa(): Promise<X509Certificate> {
    const path = String.raw`jsonpath={.data.tls\.crt}`;
    const { stdout } = await stack.kubectl('admin', 'get', 'secret', 'demo-ca', '-n', 'demo', '-o', path);
    return new X509Certificate(Buffer.from(stdout, 'base64'));
  }

  /** The sorted values of an instant query. */
  async function query(expression: string): Promise<string[]> {
    const url = `http://127.0.0.1:9090/api/v1/query?query=${encodeURIComponent(expression)}`;
    const { data } = JSON.parse(await stack.fetch(url));
    return data.result.map(({ value }: { value: [number, string] }) => value[1]).toSorted();
  }
});

interface Container {
  readonly Service: string;
  readonly State: string;
  readonly Health: string;
  readonly ExitCode: number;
}

function stateOf({ State, Health, ExitCode }: Container): string {
  return State === 'exited' ? `exited ${ExitCode}` : [State, Health].join(' ').trim();
}

/** Replaces the variables as Grafana does, for all namespaces. */
function forPrometheus(expr: string): string {
  return expr.replaceAll('$namespace', '.*').replaceAll('$__rate_interval', '5m');
}

function askAs(user: string): string[] {
  return ['run', '--rm', '-T', 'request', user];
}

function onlyPem(text: string): string {
  return text.slice(text.indexOf('-----BEGIN CERTIFICATE-----'));
}

async function requiredVersion(dir: string, pattern: RegExp): Promise<string> {
  return pattern.exec(await readFile(`${dir}/go.mod`, 'utf8'))?.[1] ?? '';
}

async function eventually(check: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const failure = await check().then(
      () => undefined,
      error => error,
    );
    if (failure === undefined) return;
    if (Date.now() > deadline) throw failure;
    await sleep(500);
  }
}
