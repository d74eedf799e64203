// Sends one malicious request to a port of 127.0.0.1 and returns the outcome. Does not evaluate it.

import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { CLOSED, type HostileShape } from './hostile-shapes.ts';

/** Returns the status of the first response, or CLOSED. Rejects after the timeout or if no connection is possible. */
export async function sendHostile(port: number, shape: HostileShape, withinMs: number): Promise<number> {
  const connection = connectTcp(port, '127.0.0.1');
  await once(connection, 'connect');
  const outcome = Promise.withResolvers<number>();
  const timer = setTimeout(() => outcome.reject(new Error(`${shape.name}: still open after ${withinMs} ms`)), withinMs);
  const socket = shape.transport === 'tcp' ? connection : secure(connection, shape);
  for (const each of [connection, socket]) each.on('error', () => undefined).on('close', () => outcome.resolve(CLOSED));
  let text = '';
  socket.on('data', data => {
    text += String(data);
    const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(text) ?? [];
    if (status !== undefined) outcome.resolve(Number(status));
  });
  for (const part of shape.send) socket.write(part);
  return outcome.promise.finally(() => {
    clearTimeout(timer);
    connection.destroy();
  });
}

function secure(connection: Socket, { transport }: HostileShape): TLSSocket {
  const options = { socket: connection, rejectUnauthorized: false };
  if (transport === 'tls1.0') {
    return connect({ ...options, minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' });
  }
  if (transport !== 'renegotiation') return connect(options);
  const socket = connect({ ...options, maxVersion: 'TLSv1.2' });
  return socket.on('secureConnect', () => socket.renegotiate({}, () => undefined));
}
