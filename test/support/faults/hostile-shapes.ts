// Malicious HTTP and TLS requests, each with the allowed responses. Sends nothing.

import { gzipSync } from 'node:zlib';

/** How the client connects; `renegotiation` requests a second handshake on a TLS 1.2 connection. */
type Transport = 'tls' | 'tcp' | 'tls1.0' | 'renegotiation';

/**
 * The connection is closed without a status. Also allowed where the client keeps sending, because the reset can discard
 * the response.
 */
export const CLOSED = 0;

export interface HostileShape {
  readonly name: string;
  readonly transport?: Transport;
  /** Sent in order. */
  readonly send: readonly (string | Buffer)[];
  /** The allowed statuses. */
  readonly answers: readonly number[];
}

const POST = 'POST /validate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';

function post(body: string | Buffer, headers = ''): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.from(`${POST}${headers}content-length: ${bytes.length}\r\n\r\n`), bytes]);
}

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n';
const DEEP = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
const REVIEW = '"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"';

export const HOSTILE_SHAPES: readonly HostileShape[] = [
  { name: 'headers that never end', send: [`${POST}x: `], answers: [408, CLOSED] },
  { name: 'a request line that never ends', send: ['POST /vali'], answers: [408, CLOSED] },
  { name: 'a header of one megabyte', send: [`${POST}x: ${'x'.repeat(1_000_000)}\r\n\r\n`], answers: [431, CLOSED] },
  { name: 'ten thousand headers', send: [`${POST}${'x: y\r\n'.repeat(10_000)}\r\n`], answers: [431, CLOSED] },
  {
    name: 'a URL of 100 kB',
    send: [`POST /${'x'.repeat(100_000)} HTTP/1.1\r\nhost: x\r\n\r\n`],
    answers: [431, CLOSED],
  },
  {
    name: 'a URL with invalid bytes',
    send: ['POST /%ff%00 HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n'],
    answers: [400],
  },
  {
    name: 'an absolute URL',
    send: ['POST http://169.254.169.254/validate HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n'],
    answers: [400],
  },
  {
    name: 'Content-Length and Transfer-Encoding',
    send: [`${POST}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    answers: [400],
  },
  { name: 'two Content-Lengths', send: [`${POST}content-length: 2\r\ncontent-length: 3\r\n\r\n{} `], answers: [400] },
  { name: 'a negative Content-Length', send: [`${POST}content-length: -1\r\n\r\n`], answers: [400] },
  {
    name: 'a Content-Length above 2^64',
    send: [`${POST}content-length: 99999999999999999999\r\n\r\n`],
    answers: [400],
  },
  { name: 'a folded header', send: [`${POST}x: y\r\n content-length: 2\r\n\r\n{}`], answers: [400] },
  { name: 'a space before the colon', send: [`${POST}content-length : 2\r\n\r\n{}`], answers: [400] },
  {
    name: 'a transfer encoding that ends in gzip',
    send: [`${POST}transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n`],
    answers: [400],
  },
  { name: 'an invalid chunk size', send: [`${POST}transfer-encoding: chunked\r\n\r\nzz\r\n`], answers: [400] },
  {
    name: 'a chunk extension of one megabyte',
    send: [`${POST}transfer-encoding: chunked\r\n\r\n1;${'x'.repeat(1_000_000)}`],
    answers: [413, CLOSED],
  },
  { name: 'another method', send: ['DELETE /validate HTTP/1.1\r\nhost: x\r\n\r\n'], answers: [404] },
  { name: 'an unknown method', send: ['BREW /validate HTTP/1.1\r\nhost: x\r\n\r\n'], answers: [400] },
  { name: 'CONNECT', send: ['CONNECT 10.0.0.1:443 HTTP/1.1\r\nhost: x\r\n\r\n'], answers: [CLOSED] },
  {
    name: 'an upgrade',
    send: ['GET /validate HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'],
    answers: [404],
  },
  { name: 'no Host header', send: ['POST /validate HTTP/1.1\r\n\r\n'], answers: [400] },
  { name: 'HTTP/0.9', send: ['GET /validate\r\n'], answers: [400, 408, CLOSED] },
  { name: 'the HTTP/2 preface', send: ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'], answers: [400] },
  { name: 'HTTP without TLS', transport: 'tcp', send: [post('{}')], answers: [CLOSED] },
  { name: 'bytes that are not TLS', transport: 'tcp', send: [Buffer.alloc(5_000, 0xff)], answers: [CLOSED] },
  {
    name: 'half a ClientHello',
    transport: 'tcp',
    send: [Buffer.from('1603010200010001fc0303', 'hex')],
    answers: [CLOSED],
  },
  { name: 'TLS 1.0', transport: 'tls1.0', send: [], answers: [CLOSED] },
  { name: 'a second handshake on the same connection', transport: 'renegotiation', send: [], answers: [CLOSED] },
  { name: 'a gzip body', send: [post(gzipSync('{}'), 'content-encoding: gzip\r\n')], answers: [400, 415] },
  { name: 'invalid UTF-8', send: [post(Buffer.from([0x22, 0xc3, 0x28, 0xff, 0x22]))], answers: [400] },
  { name: 'JSON with 100 000 levels', send: [post(DEEP)], answers: [400] },
  { name: 'duplicate keys', send: [post(`{${REVIEW},${REVIEW},"request":{"uid":"a","uid":7}}`)], answers: [400] },
  { name: '__proto__', send: [post(`{"__proto__":{${REVIEW},"request":{"uid":"a"}}}`)], answers: [400] },
  { name: 'a body that never ends', send: [`${POST}content-length: 9\r\n\r\n{`], answers: [CLOSED] },
  {
    name: 'a thousand requests at once',
    send: ['GET / HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(1_000)],
    answers: [404, CLOSED],
  },
];
