// `node flood.ts KIND PORT CONNECTIONS ADDRESS`: keeps CONNECTIONS connections from ADDRESS to a port of 127.0.0.1 and
// reopens closed ones. A separate process because of its file descriptors, and with the lowest priority: a real flood
// comes from other machines and does not use the CPU of the servers. Prints a line when all connections are accepted.
// Exits when its standard input is closed.

import { connect as connectTcp } from 'node:net';
import { setPriority } from 'node:os';
import { connect } from 'node:tls';
import { BODY_LIMIT } from '@countersign/webhook/serving/bodies.ts';

const MANY_ANNOTATIONS = 150_000;

/** What a connection sends after its handshake. */
const MESSAGES = {
  /** Nothing. */
  idle: () => '',
  /** A 64 kB body without its last ten bytes. */
  bodies: () => request('x'.repeat(65_526), 65_536),
  /** A valid AdmissionReview that takes long to parse; the next one after each response. */
  reviews: () => request(largeReview()),
} as const;

export type FloodKind = keyof typeof MESSAGES;

function request(body: string, length = body.length): string {
  return `POST /validate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${body}`;
}

/** The maximum body size. */
function largeReview(): string {
  const annotations = Object.fromEntries(Array.from({ length: MANY_ANNOTATIONS }, (_, at) => [at.toString(36), '']));
  const kind = { group: 'certificates.k8s.io', version: 'v1', kind: 'CertificateSigningRequest' };
  const ask = (note: string) => {
    const object = {
      metadata: { name: 'flood', annotations, note },
      spec: { signerName: 'x.cert-manager.io/y', request: '' },
    };
    const admission = { uid: 'flood', kind, operation: 'CREATE', userInfo: { username: 'flood' }, object };
    return JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: admission });
  };
  return ask('x'.repeat(BODY_LIMIT - ask('').length));
}

function dial(message: string): void {
  const connection = connectTcp({ host: '127.0.0.1', port, localAddress }).on('error', () => undefined);
  connection.on('connect', () => {
    accepted += 1;
    if (accepted === count) process.stdout.write('flooded\n');
  });
  const socket = connect({ socket: connection, rejectUnauthorized: false });
  socket.on('secureConnect', () => socket.write(message));
  socket.on('data', () => socket.write(message));
  socket.on('error', () => undefined).on('close', () => setImmediate(dial, message));
}

const [kind = 'idle', portText, connections, localAddress = '127.0.0.2'] = process.argv.slice(2);
const port = Number(portText);
const count = Number(connections);
let accepted = 0;
setPriority(19);
process.stdin
  .resume()
  .on('end', () => process.exit())
  .on('error', () => process.exit());
const message = MESSAGES[kind as FloodKind]();
for (let left = count; left > 0; left -= 1) dial(message);
