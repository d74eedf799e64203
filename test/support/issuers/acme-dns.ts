// A bridge from the API of acme-dns, with which cert-manager solves DNS-01 challenges, to the DNS server of Pebble's
// pebble-challtestsrv. Checks no credentials.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

export interface Bridge {
  readonly url: string;
  readonly close: () => Promise<void>;
}

interface Update {
  readonly subdomain: string;
  readonly txt: string;
}

/** `management`: the URL of pebble-challtestsrv's management interface. */
export async function startAcmeDns(management: string, address: string): Promise<Bridge> {
  const server = createServer((...call) => void serve(management, ...call));
  await once(server.listen(0, address), 'listening');
  return { url: `http://${address}:${(server.address() as AddressInfo).port}`, close: () => close(server) };
}

async function serve(management: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { subdomain, txt } = (await json(request)) as Update;
  const body = JSON.stringify({ host: `_acme-challenge.${subdomain}.`, value: txt });
  const answer = await fetch(`${management}/set-txt`, { method: 'POST', body }).catch(() => undefined);
  response.writeHead(answer?.ok ? 200 : 500, { 'content-type': 'application/json' }).end(JSON.stringify({ txt }));
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise(resolve => server.close(resolve));
}

/** The Secret that the acmeDNS solver reads: one account for each domain. */
export function acmeDnsAccounts(domains: readonly string[]): string {
  const accounts = domains.map(subdomain => {
    return [subdomain, { username: 'u', password: 'p', fulldomain: subdomain, subdomain, allowfrom: [] }];
  });
  return JSON.stringify(Object.fromEntries(accounts));
}
