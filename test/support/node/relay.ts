// Forwards a port on 127.0.0.1 through a socket file to the API server in the node's network, so that kubectl, helm and
// tests work as usual. TLS is passed through.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

const INNER_END = fileURLToPath(new URL('relay-end.ts', import.meta.url));

/** The command to run inside the network namespace. */
export function relayCommand(socketPath: string, port: number): readonly [string, readonly string[]] {
  return [process.execPath, [INNER_END, socketPath, String(port)]];
}

export class Relay {
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  private constructor(socketPath: string) {
    this.#server = createServer(client => {
      const inside = connect(socketPath);
      client.pipe(inside).pipe(client);
      for (const [one, other] of [
        [client, inside],
        [inside, client],
      ] as const) {
        this.#open.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => this.#open.delete(one));
      }
    });
  }

  static async listen(socketPath: string): Promise<Relay> {
    const relay = new Relay(socketPath);
    await once(relay.#server.listen(0, '127.0.0.1'), 'listening');
    relay.#server.unref();
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
  }
}
