// A listen address as Go writes it: `host:port`, `[host]:port` for IPv6, `:port` for all addresses of the machine.
// Never listens.

import { networkInterfaces } from 'node:os';
import { err, ok, type Result } from '../../result.ts';

export interface ListenAddress {
  /** A name or an address; empty for all addresses. */
  readonly host: string;
  /** 0 chooses a free port. */
  readonly port: number;
}

export function parseListenAddress(text: string): Result<ListenAddress> {
  const [, host = '', digits = ''] = /^(\[[^[\]]+\]|[^:[\]]*):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits !== '' && port <= 65_535) return ok({ host: host.replace(/[[\]]/g, ''), port });
  return err(
    `"${text}" is not a valid address; use <host>:<port>, [<IPv6 address>]:<port>, or :<port> for all addresses`,
  );
}

/** For the `listen` of a server. */
export function listenOptions({ host, port }: ListenAddress): ListenAddress {
  return { host: host || anyHost(), port };
}

/** The IPv6 address accepts IPv4 as well, but a machine may have no IPv6. */
function anyHost(): string {
  const addresses = Object.values(networkInterfaces()).flat();
  return addresses.some(address => address?.family === 'IPv6') ? '::' : '0.0.0.0';
}
