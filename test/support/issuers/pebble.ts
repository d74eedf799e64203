// Runs Pebble, an ACME server, with pebble-challtestsrv as its DNS server and a bridge with which cert-manager answers
// DNS-01 challenges. Everything listens on one address and is stopped with stop().

import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { openAuthority } from '../control-plane/authority.ts';
import { type Child, startChild } from '../control-plane/child.ts';
import { findTools } from '../control-plane/find-tools.ts';
import { type Endpoint, freePort, waitUntilOk } from '../control-plane/loopback.ts';
import { type Bridge, startAcmeDns } from './acme-dns.ts';

/** No certificate is issued for it. */
export const BLOCKED_DOMAIN = 'blocked.example';

export interface Pebble {
  /** The URL of the ACME directory. */
  readonly directory: string;
  /** The CA of its serving certificate. */
  readonly caPem: string;
  /** The address of the DNS server. */
  readonly nameserver: string;
  /** The URL of the acme-dns bridge. */
  readonly acmeDns: string;
  /** The PEM of its root, which it creates each time it starts. */
  readonly readRoot: () => Promise<string>;
  readonly stop: () => Promise<void>;
}

interface Written {
  readonly config: string;
  readonly endpoint: Endpoint;
}

const READY_MS = 30_000;

/** `dir`: an existing folder for keys and logs. */
export async function startPebble(dir: string, address = '127.0.0.1'): Promise<Pebble> {
  const tools = await findTools(['pebble', 'pebble-challtestsrv']);
  const [dns, management, http, acme, pebbleManagement] = await freePorts();
  const nameserver = `${address}:${dns}`;
  const rootUrl = `https://${address}:${pebbleManagement}/roots/0`;
  const { config, endpoint } = await writeConfig(dir, { address, port: acme, managementPort: pebbleManagement });
  const challenges = ['-dnsserver', nameserver, '-management', `${address}:${management}`];
  const unused = ['-http01', `${address}:${http}`, '-https01', '', '-tlsalpn01', '', '-doh', '', '-defaultIPv6', ''];
  const children = [
    start('pebble-challtestsrv', tools['pebble-challtestsrv'], [...challenges, ...unused], dir),
    start('pebble', tools.pebble, ['-config', config, '-dnsserver', nameserver], dir),
  ];
  const bridge = await startAcmeDns(`http://${address}:${management}`, address);
  const pebble = {
    directory: `${endpoint.url}/dir`,
    caPem: endpoint.caPem,
    nameserver,
    acmeDns: bridge.url,
    readRoot: () => fetchText(rootUrl, endpoint.caPem),
    stop: () => stop(children, bridge),
  };
  try {
    await waitUntilOk(endpoint, ['/dir'], AbortSignal.timeout(READY_MS));
    return pebble;
  } catch (error) {
    await pebble.stop();
    throw error;
  }
}

async function freePorts(): Promise<[number, number, number, number, number]> {
  return [await freePort(), await freePort(), await freePort(), await freePort(), await freePort()];
}

interface Listeners {
  readonly address: string;
  readonly port: number;
  readonly managementPort: number;
}

async function writeConfig(dir: string, { address, port, managementPort }: Listeners): Promise<Written> {
  const file = (name: string) => join(dir, `pebble-${name}`);
  const authority = await openAuthority('pebble CA', file('ca.crt'), file('ca.key'));
  const serving = await authority.issueServing('pebble', [], [address]);
  await writeFile(file('tls.crt'), serving.certPem);
  await writeFile(file('tls.key'), serving.keyPem, { mode: 0o600 });
  const pebble = {
    listenAddress: `${address}:${port}`,
    managementListenAddress: `${address}:${managementPort}`,
    certificate: file('tls.crt'),
    privateKey: file('tls.key'),
    httpPort: 80,
    tlsPort: 443,
    domainBlocklist: [BLOCKED_DOMAIN],
    retryAfter: { authz: 1, order: 1 },
    profiles: { default: { description: 'the only one', validityPeriod: 7_776_000 } },
  };
  await writeFile(file('config.json'), JSON.stringify({ pebble }));
  // The client certificate is not asked for.
  const endpoint = { url: `https://${address}:${port}`, caPem: authority.certPem, client: serving };
  return { config: file('config.json'), endpoint };
}

function start(name: string, command: string, args: readonly string[], dir: string): Child {
  // Pebble otherwise sleeps up to 15 seconds before it validates, and rejects every 20th nonce.
  const env = { ...process.env, PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '0' };
  return startChild({ name, command, args, logPath: join(dir, `${name}.log`), env });
}

async function fetchText(url: string, ca: string): Promise<string> {
  const [response] = (await once(get(url, { ca, agent: false }), 'response')) as [IncomingMessage];
  return text(response);
}

async function stop(children: readonly Child[], bridge: Bridge): Promise<void> {
  await Promise.all([...children.map(child => child.stop(2_000)), bridge.close()]);
}
