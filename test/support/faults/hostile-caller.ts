// Sends one hostile shape to a port of 127.0.0.1, and gives what came of it. Judges nothing.

import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { CLOSED, type HostileShape } from './hostile-shapes.ts';

/** Gives the status of the first answer or CLOSED; rejects when neither comes in time, or no connection at all. */
export async function sendHostile(port: number, shape: HostileShape, withinMs: number): Promise<number> {
  const connection = connectTcp(port, '127.0.0.1');
  await once(connection, 'connect');
  const outcome = Promise.withResolvers<number>();
  const timer = setTimeout(() => outcome.reject(new Error(`${shape.name}: open after ${withinMs} ms`)), withinMs);
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
