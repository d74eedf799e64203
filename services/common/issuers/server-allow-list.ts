// The hosts of issuers' servers that the operator allows: names, addresses, and suffixes such as `*.example.com`, each
// with a port or for every port. Pure; an empty list allows every host.

import { isIP } from 'node:net';
import { isDnsName } from '../dns-name.ts';

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'https:': '443', 'http:': '80' };

/** `list`: entries with commas between. */
export function parseServerList(list: string): readonly string[] {
  return list
    .split(',')
    .map(entry => entry.trim().toLowerCase())
    .filter(entry => entry !== '');
}

/** Returns the first entry that can match no host. */
export function findBadEntry(entries: readonly string[]): string | undefined {
  return entries.find(entry => {
    const { host, port } = splitEntry(entry);
    const isHost = isDnsName(host.replace(/^\*\./, '')) || isIP(host.replace(/^\[(.*)\]$/, '$1')) !== 0;
    return !isHost || (port !== undefined && !(Number(port) > 0 && Number(port) < 65_536));
  });
}

/** Whether the list allows the server, a URL. */
export function isServerAllowed(entries: readonly string[], server: string): boolean {
  const url = URL.parse(server);
  if (url === null) return false;
  const port = url.port || DEFAULT_PORTS[url.protocol];
  return entries.length === 0 || entries.some(entry => matches(splitEntry(entry), url.hostname, port));
}

interface Entry {
  readonly host: string;
  readonly port: string | undefined;
}

/** An IPv6 address is in brackets, as in a URL. */
function splitEntry(entry: string): Entry {
  const [, host = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(entry) ?? [];
  return { host, port };
}

function matches(entry: Entry, host: string, port: string | undefined): boolean {
  if (entry.port !== undefined && entry.port !== port) return false;
  return entry.host.startsWith('*.') ? host.endsWith(entry.host.slice(1)) : host === entry.host;
}
