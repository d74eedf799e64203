// A service that cannot start: one line on standard error for what the operator can fix, a stack for anything else.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ConfigurationError, explainFileError } from '@countersign/common/runtime/configuration-error.ts';
import { CredentialSource } from '@countersign/common/runtime/credentials/kube-credentials.ts';
import { explainListenError } from '@countersign/common/runtime/options/listen-address.ts';
import { describeFailure } from '@countersign/common/runtime/process/program.ts';
import { writeKubeconfig } from './fake-api-server.ts';

const directory = mkdtempSync(join(tmpdir(), 'countersign-startup-'));
after(() => rmSync(directory, { recursive: true }));

const SERVICES = [['signer'], ['webhook', '--tls-secret=a/b']] as const;

async function start(service: string, ...flags: readonly string[]) {
  const main = fileURLToPath(new URL(`../../../services/${service}/main.ts`, import.meta.url));
  const child = spawn(process.execPath, [main, ...flags], { env: { PATH: process.env['PATH'], HOME: directory } });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, stdout, stderr };
}

describe('a service that cannot start exits with 1 after one line on standard error', () => {
  for (const [service, ...flags] of SERVICES) {
    test(`the ${service} names a kubeconfig that does not exist`, async () => {
      const { code, stderr } = await start(service, '--kubeconfig=/none', '--http-address=127.0.0.1:0', ...flags);
      assert.deepEqual([code, stderr], [1, `countersign-${service}: kubeconfig /none does not exist\n`]);
    });

    test(`the ${service} names the flag and the address of a port in use`, async () => {
      const kubeconfig = join(directory, `${service}.kubeconfig`);
      const cluster = { server: 'http://127.0.0.1:1', 'insecure-skip-tls-verify': true };
      writeKubeconfig(kubeconfig, { token: 't' }, cluster);
      const occupant = createServer().listen(0, '127.0.0.1');
      await once(occupant, 'listening');
      const address = `127.0.0.1:${(occupant.address() as AddressInfo).port}`;
      const ended = await start(service, `--kubeconfig=${kubeconfig}`, `--http-address=${address}`, ...flags);
      occupant.close();
      const line = `countersign-${service}: --http-address: ${address} is already in use\n`;
      assert.deepEqual([ended.code, ended.stderr], [1, line]);
    });
  }

  test('the signer names what it needs where no API server is configured', async () => {
    const { stderr } = await start('signer');
    assert.equal(
      stderr,
      'countersign-signer: no API server configured: set --kubeconfig or KUBECONFIG, or run in a pod with a ServiceAccount\n',
    );
  });
});

test('an unexpected error keeps its stack, an error of the configuration does not', () => {
  assert.match(
    describeFailure('signer', new TypeError('x is undefined')),
    /^signer: TypeError: x is undefined\n {4}at /,
  );
  assert.equal(describeFailure('signer', new ConfigurationError('fix this')), 'signer: fix this\n');
});

describe('an error of the system', () => {
  const failure = (code: string) => Object.assign(new Error(`${code}: nothing for users`), { code });

  for (const [code, expected] of [
    ['ENOENT', '/x does not exist'],
    ['ENOTDIR', '/x does not exist'],
    ['EISDIR', '/x is a directory, not a file'],
    ['EACCES', '/x cannot be read: permission denied'],
  ] as const) {
    test(`the error ${code} of a file is explained with its path`, () =>
      assert.equal(explainFileError(failure(code), '/x')?.message, expected));
  }

  for (const [code, expected] of [
    ['EADDRINUSE', '--address: [::1]:80 is already in use'],
    ['EADDRNOTAVAIL', '--address: [::1]:80 is not an address of this machine'],
    ['EACCES', '--address: [::1]:80 cannot be used: permission denied'],
    ['ENOTFOUND', '--address: the host of [::1]:80 is unknown'],
  ] as const) {
    test(`the error ${code} of a listen address is explained with its flag`, () =>
      assert.equal(explainListenError(failure(code), '--address', { host: '::1', port: 80 }).message, expected));
  }

  test('an error of another kind stays as it is', () => {
    const other = failure('EIO');
    assert.equal(explainFileError(other, '/x'), undefined);
    assert.equal(explainListenError(other, '--address', { host: '', port: 80 }), other);
  });
});

describe('a kubeconfig that cannot be used', () => {
  test('a directory and a file that is no kubeconfig are named', () => {
    const broken = join(directory, 'broken');
    writeFileSync(broken, 'users: *hush');
    const failing = (path: string) => () => new CredentialSource(path, Date.now);
    assert.throws(failing(directory), new ConfigurationError(`kubeconfig ${directory} is a directory, not a file`));
    assert.throws(failing(broken), new ConfigurationError(`kubeconfig ${broken}: not valid YAML at line 1, column 9`));
  });

  test('a server that is no URL is reported without its text', () => {
    const path = writeKubeconfig(join(directory, 'no-url'), { token: 't' }, { server: 'hush' });
    assert.throws(
      () => new CredentialSource(path, Date.now),
      new ConfigurationError(`kubeconfig ${path}: the server of the current cluster is not a URL`),
    );
  });
});
