// The PKCS#10 request of an order, and the private key if it was made here. Reads files; sends nothing.

import type { KeyObject } from 'node:crypto';
import { parsePkcs10 } from '@countersign/common/x509/pkcs10.ts';
import type { Arguments } from '../arguments/parse.ts';
import { usageError } from '../cli-error.ts';
import type { Io } from '../terminal/io.ts';
import { encodeAltNames } from './alt-names.ts';
import { encodeSubject } from './distinguished-name.ts';
import { generateKey, type KeyType, readKey } from './key-pair.ts';
import { createPkcs10, type Pkcs10Parts } from './pkcs10.ts';

export interface Material {
  /** Base64 of PEM, as in spec.request. */
  readonly request: string;
  /** The DER of the public key. */
  readonly spki: Buffer;
  /** To be written; undefined if the user has the key already. */
  readonly newKey: KeyObject | undefined;
}

const NAME_FLAGS = ['dns', 'ip', 'uri', 'email', 'subject'] as const;

export async function prepareMaterial(given: Arguments, io: Io, keyType: KeyType): Promise<Material> {
  const path = given.text('csr');
  if (path === undefined) return makeRequest(given, io, keyType);
  const useless = [...NAME_FLAGS, 'key', 'key-type'].find(flag => given.has(flag));
  if (useless !== undefined)
    throw usageError(`--${useless} has no effect with --csr, which has its own names and key`, 'Give one of them.');
  const pem = await io.readText(path);
  return toMaterial(Buffer.from(pem).toString('base64'), path, undefined);
}

async function makeRequest(given: Arguments, io: Io, keyType: KeyType): Promise<Material> {
  const names = readNames(given);
  const path = given.text('key');
  const key = path === undefined ? generateKey(keyType) : readKey(await io.readText(path), path);
  const pem = createPkcs10({ key, ...names });
  if (!pem.ok) throw usageError(`the key cannot be used: ${pem.error}`, 'Use another key.');
  return toMaterial(Buffer.from(pem.value).toString('base64'), 'the request', path === undefined ? key : undefined);
}

function readNames(given: Arguments): Pick<Pkcs10Parts, 'subject' | 'altNames'> {
  if (!NAME_FLAGS.some(flag => given.has(flag))) {
    throw usageError('the certificate would have no name', 'Give --dns, --ip, --uri, --email or --subject.');
  }
  const subject = encodeSubject(given.text('subject') ?? '');
  if (!subject.ok) throw usageError(`--subject: ${subject.error}`, 'Write for example --subject=CN=app,O=team.');
  const list = (flag: string) => given.list(flag).flatMap(names => names.split(','));
  const altNames = encodeAltNames({ dns: list('dns'), ip: list('ip'), uri: list('uri'), email: list('email') });
  if (!altNames.ok) throw usageError(altNames.error, 'Correct the name.');
  return { subject: subject.value, altNames: altNames.value };
}

function toMaterial(request: string, name: string, newKey: KeyObject | undefined): Material {
  const parsed = parsePkcs10(request);
  if (!parsed.ok) throw usageError(`${name}: ${parsed.error}`, 'Give a PKCS#10 request in PEM.');
  return { request, spki: parsed.value.spki, newKey };
}
