// The part of the web API of Venafi's Trust Protection Platform that cert-manager calls, with a CA of its own behind
// it. Checks the password and the token, and nothing else.

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { Authority } from '../control-plane/authority.ts';
import { createSigningAuthority, type SigningAuthority, signRequest } from './signing-authority.ts';

const TOKEN = 'token-of-the-emulator';
/** Nothing is issued in this zone. */
export const REFUSED_ZONE = 'refused';
export const TPP_CREDENTIALS = { username: 'cert-manager', password: 'password-of-the-emulator' };

export interface Tpp {
  /** For spec.venafi.tpp.url. */
  readonly url: string;
  /** PEM of the CA of its serving certificate. */
  readonly servingCaPem: string;
  /** PEM of the CA that signs. */
  readonly rootPem: string;
  readonly close: () => Promise<void>;
}

type Body = Readonly<Record<string, string>>;
type Answer = readonly [status: number, body: object];

/** `serving` issues the certificate of the server. */
export async function startTpp(serving: Authority, address = '127.0.0.1'): Promise<Tpp> {
  const { certPem, keyPem } = await serving.issueServing('tpp', [], [address]);
  const authority = await createSigningAuthority('tpp');
  const orders = new Orders(authority);
  const server = createServer({ cert: certPem, key: keyPem }, (...call) => void serve(orders, ...call));
  await once(server.listen(0, address), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://${address}:${port}/vedsdk/`,
    servingCaPem: serving.certPem,
    rootPem: `${authority.certificate.toString('pem')}\n`,
    async close() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

async function serve(orders: Orders, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = request.method === 'POST' ? ((await json(request)) as Body) : {};
  const call = `${request.method} ${request.url}`;
  const [status, answer] = await answerTo(call, body, { orders, token: request.headers.authorization });
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
}

interface Context {
  readonly orders: Orders;
  readonly token: string | undefined;
}

async function answerTo(call: string, body: Body, { orders, token }: Context): Promise<Answer> {
  switch (call) {
    case 'GET /vedsdk/':
      return [200, {}];
    case 'GET /vedauth/authorize/verify':
      return token === `Bearer ${TOKEN}`
        ? [200, { application: 'cert-manager', scope: SCOPE, valid_for: 3600 }]
        : DENIED;
    case 'POST /vedauth/authorize/oauth':
      return body['password'] === TPP_CREDENTIALS.password ? [200, grant()] : [400, { error: 'invalid_grant' }];
    default:
      return token === `Bearer ${TOKEN}` ? answerToUser(call, body, orders) : DENIED;
  }
}

const SCOPE = 'certificate:manage';
const DENIED: Answer = [401, {}];

function grant(): object {
  const expires = Math.floor(Date.now() / 1000) + 3600;
  return { access_token: TOKEN, refresh_token: 'r', expires_in: 3600, expires, token_type: 'Bearer', scope: SCOPE };
}

async function answerToUser(call: string, body: Body, orders: Orders): Promise<Answer> {
  switch (call) {
    case 'GET /vedsdk/Identity/Self':
      return [200, { Identities: [IDENTITY] }];
    case 'POST /vedsdk/metadata/get':
      return [200, { Data: [{ Key: { Label: 'Origin' }, Value: ['cert-manager'] }], Success: true }];
    case 'POST /vedsdk/metadata/getitems':
      return [200, { Items: [], Success: true }];
    case 'POST /vedsdk/certificates/checkpolicy':
      return [200, { Policy: POLICY }];
    case 'POST /vedsdk/certificates/reset':
      return [
        400,
        {
          Error: `Certificate ${body['CertificateDN']} does not exist or you do not have sufficient rights to the object.`,
        },
      ];
    case 'POST /vedsdk/certificates/request':
      return answerToRequest(body, orders);
    case 'POST /vedsdk/certificates/retrieve':
      return orders.retrieve(body['CertificateDN'] ?? '');
    default:
      return [404, { Error: `${call} is not emulated` }];
  }
}

function answerToRequest({ PolicyDN = '', ObjectName, PKCS10 = '' }: Body, orders: Orders): Answer {
  if (PolicyDN.endsWith(REFUSED_ZONE)) return [400, { Error: 'The policy allows no certificates.' }];
  return [200, { CertificateDN: orders.add(`${PolicyDN}\\${ObjectName}`, PKCS10) }];
}

const NAME = 'cert-manager';
const IDENTITY = {
  Prefix: 'local',
  FullName: `\\VED\\Identity\\${NAME}`,
  Name: NAME,
  PrefixedName: `local:${NAME}`,
  PrefixedUniversal: 'local:1',
  Universal: '1',
};

/** Allows everything. */
const POLICY = {
  KeyPair: { KeyAlgorithm: { Locked: false, Value: '' }, KeySize: { Locked: false, Value: 0 } },
  SubjAltNameDnsAllowed: true,
  SubjAltNameIpAllowed: true,
  SubjAltNameUriAllowed: true,
  WhitelistedDomains: [],
  WildcardsAllowed: true,
  Subject: {},
};

/** The requested certificates. The first look at each finds it pending. */
class Orders {
  readonly #authority: SigningAuthority;
  readonly #orders = new Map<string, { readonly request: string; looks: number }>();

  constructor(authority: SigningAuthority) {
    this.#authority = authority;
  }

  add(name: string, request: string): string {
    const dn = `${name}-${this.#orders.size}`;
    this.#orders.set(dn, { request, looks: 0 });
    return dn;
  }

  async retrieve(dn: string): Promise<Answer> {
    const order = this.#orders.get(dn);
    if (order === undefined) return [400, { Error: `${dn} does not exist` }];
    order.looks += 1;
    if (order.looks === 1) return [202, { Stage: 400, Status: 'Post CSR' }];
    const pem = await signRequest(this.#authority, order.request);
    return [200, { CertificateData: Buffer.from(pem).toString('base64'), Format: 'base64', Filename: 'x.cer' }];
  }
}
