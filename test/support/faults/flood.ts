// `node flood.ts KIND PORT CONNECTIONS ADDRESS`: keeps that many connections to a port of 127.0.0.1, from ADDRESS, each dialled again when
// it is closed. A program of its own, for its descriptors, and with the lowest priority: a flood comes from other machines, and
// must not take the processor from the servers here. Writes a line once so many were accepted. Ends with its standard input.

import { connect as connectTcp } from 'node:net';
import { setPriority } from 'node:os';
import { connect } from 'node:tls';
import { BODY_LIMIT } from '@countersign/webhook/serving/bodies.ts';

const MANY_ANNOTATIONS = 150_000;

/** What a connection sends after its handshake. */
const MESSAGES = {
  /** Nothing. */
  idle: () => '',
  /** 64 kB that lack their last ten bytes. */
  bodies: () => request('x'.repeat(65_526), 65_536),
  /** An AdmissionReview that takes long to parse, and is a valid one; the next when it is answered. */
  reviews: () => request(largeReview()),
} as const;

export type FloodKind = keyof typeof MESSAGES;

function request(body: string, length = body.length): string {
  return `POST /validate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${body}`;
}

/** As large as a body may be. */
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
