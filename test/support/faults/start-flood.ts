// Starts and stops floods of connections in separate processes.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FloodKind } from './flood.ts';

const PROGRAM = fileURLToPath(new URL('flood.ts', import.meta.url));

/** A process may have about 20 000 descriptors open. */
const CONNECTIONS_EACH = 5_000;

export interface FloodOptions {
  readonly kind: FloodKind;
  readonly connections: number;
  readonly port: number;
}

export interface Flood {
  /** Resolves when the requested number of connections is accepted. */
  readonly rising: Promise<unknown>;
  end(): Promise<void>;
}

/** Each process uses its own address, from 127.0.0.2 on. It exits when this process exits. */
export function startFlood({ kind, connections, port }: FloodOptions): Flood {
  const count = Math.ceil(connections / CONNECTIONS_EACH);
  const children = Array.from({ length: count }, (_, at) => {
    const args = [PROGRAM, kind, String(port), String(Math.ceil(connections / count)), `127.0.0.${at + 2}`];
    return spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  });
  const end = async () => {
    const running = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    const ended = running.map(child => once(child, 'exit'));
    for (const child of running) child.kill('SIGKILL');
    await Promise.all(ended);
  };
  return { rising: Promise.all(children.map(({ stdout }) => once(stdout, 'data'))), end };
}
