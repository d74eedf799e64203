// The private key that signs certificates, as a handle that signs and exposes its public half only. Parses PEM as
// cert-manager does, with its error texts.

import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { inspect } from 'node:util';
import { err, ok, type Result } from '@countersign/common/result.ts';
import { type PemBlock, parsePem } from '@countersign/common/x509/pem.ts';
import type { KeyKind } from '@countersign/common/x509/public-key.ts';
import {
  chooseSignatureAlgorithm,
  findSizeProblem,
  type SignatureAlgorithm,
} from '@countersign/common/x509/signature-algorithm.ts';
import { ComputeScheduler, type SigningScheduler } from './compute-scheduler.ts';
import { findPrivateKeyFault } from './private-key-faults.ts';

export interface SigningKey {
  readonly algorithm: KeyKind;
  readonly publicKey: KeyObject;
  /** The DER of the SubjectPublicKeyInfo. */
  readonly publicKeySpki: Buffer;
  /** An error, with cert-manager's text, if nothing may be signed with the key. */
  readonly signatureAlgorithm: Result<SignatureAlgorithm>;
  /** Whether this DER SubjectPublicKeyInfo is the public half of this key. */
  isKeyOf(spki: Buffer): boolean;
  /** Signs a TBS certificate with `signatureAlgorithm`; RSA signatures are computed off the main thread. */
  sign(tbs: Buffer): Promise<Buffer>;
}

/** Maximum PEM size in bytes: cert-manager's limit for a private key. */
const MAX_PEM_SIZE = 13_000;

/** Key size in bits above which signatures are slow: one with 4096 takes 1.6 ms (measured). */
const SLOW_RSA_SIZE = 4_096;

/** What a key signs to prove that its halves match; never a certificate. */
const PROOF = Buffer.from('countersign: this key signs for itself');

/** cert-manager's name in errors for the format of each PEM label. */
const FORMATS: ReadonlyMap<string, string> = new Map([
  ['PRIVATE KEY', 'pkcs#8'],
  ['EC PRIVATE KEY', 'ecdsa'],
  ['RSA PRIVATE KEY', 'rsa'],
]);

const KINDS: ReadonlyMap<string | undefined, KeyKind> = new Map([
  ['rsa', 'rsa'],
  ['ec', 'ec'],
  ['ed25519', 'ed25519'],
]);

/**
 * Parses a private key in PEM: PKCS#8, PKCS#1 or SEC1. Errors reveal nothing about the key. RSA signatures queue with
 * others that share the same `scheduler`.
 */
export function parseSigningKey(pem: string | Buffer, scheduler = createScheduler()): Result<SigningKey> {
  if (pem.length > MAX_PEM_SIZE) return fail(`provided PEM data was larger than the maximum ${MAX_PEM_SIZE}B`);
  const blocks = parsePem(pem.toString());
  if (!blocks.ok) return fail(blocks.error);
  // openssl ecparam -genkey writes the curve in a separate block before the key, which names it again.
  const block = blocks.value.find(({ label }) => label !== 'EC PARAMETERS');
  if (block === undefined) return fail('no PEM data was found in given input');
  const format = FORMATS.get(block.label);
  if (format === undefined) return err(`unknown private key type: ${block.label}`);
  const key = readKey(block, scheduler);
  return key.ok ? key : err(`error parsing ${format} private key: ${key.error}`);
}

/** Parses a private key like parseSigningKey, and verifies with one signature that its halves match. */
export async function loadSigningKey(pem: string | Buffer, scheduler?: SigningScheduler): Promise<Result<SigningKey>> {
  const key = parseSigningKey(pem, scheduler);
  if (!key.ok || !key.value.signatureAlgorithm.ok) return key;
  const { publicKey, signatureAlgorithm } = key.value;
  const signature = await key.value.sign(PROOF).catch(() => undefined);
  const { digest } = signatureAlgorithm.value;
  const isProven = signature !== undefined && verify(digest, PROOF, publicKey, signature);
  return isProven ? key : err('the private key does not match the public key stored with it');
}

function createScheduler(): SigningScheduler {
  return new ComputeScheduler().ofSigning({ namespace: '', name: '' });
}

function fail(problem: string): Result<never> {
  return err(`error decoding private key PEM block: ${problem}`);
}

function readKey({ label, der }: PemBlock, scheduler: SigningScheduler): Result<SigningKey> {
  const fault = findPrivateKeyFault(label, der);
  if (fault !== undefined) return err(fault);
  const type = label === 'RSA PRIVATE KEY' ? 'pkcs1' : label === 'EC PRIVATE KEY' ? 'sec1' : 'pkcs8';
  try {
    return holdKey(createPrivateKey({ key: der, format: 'der', type }), scheduler);
  } catch {
    // OpenSSL's errors describe its internals and do not help users. Some keys fail only when the public half is
    // computed (point at infinity).
    return err('malformed key');
  }
}

function holdKey(key: KeyObject, scheduler: SigningScheduler): Result<SigningKey> {
  const problem = findSizeProblem(key.asymmetricKeyDetails ?? {});
  if (problem !== undefined) return err(problem);
  const kind = KINDS.get(key.asymmetricKeyType);
  return kind === undefined
    ? err(`unsupported key type ${key.asymmetricKeyType}`)
    : ok(new HeldKey(kind, key, scheduler));
}

/** Holds the private key where inspection, JSON and property access cannot reach it. */
class HeldKey implements SigningKey {
  readonly algorithm: KeyKind;
  readonly publicKey: KeyObject;
  readonly publicKeySpki: Buffer;
  readonly signatureAlgorithm: Result<SignatureAlgorithm>;
  readonly #privateKey: KeyObject;
  readonly #scheduler: SigningScheduler;

  constructor(kind: KeyKind, privateKey: KeyObject, scheduler: SigningScheduler) {
    this.#privateKey = privateKey;
    this.#scheduler = scheduler;
    this.algorithm = kind;
    this.publicKey = createPublicKey(privateKey);
    this.publicKeySpki = this.publicKey.export({ format: 'der', type: 'spki' });
    this.signatureAlgorithm = chooseSignatureAlgorithm(kind, privateKey.asymmetricKeyDetails ?? {});
  }

  isKeyOf(spki: Buffer): boolean {
    if (spki.equals(this.publicKeySpki)) return true;
    try {
      // The same key has several encodings, such as a compressed point or explicit curve parameters.
      const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
      // Between keys of different types, equals leaves an OpenSSL error behind (seen with Node 26) that makes the next
      // createPrivateKey fail for a valid key.
      return key.asymmetricKeyType === this.publicKey.asymmetricKeyType && key.equals(this.publicKey);
    } catch {
      return false;
    }
  }

  get #isSlow(): boolean {
    return (this.publicKey.asymmetricKeyDetails?.modulusLength ?? 0) > SLOW_RSA_SIZE;
  }

  async sign(tbs: Buffer): Promise<Buffer> {
    const algorithm = this.signatureAlgorithm;
    if (!algorithm.ok) throw new TypeError(algorithm.error);
    const { digest } = algorithm.value;
    // ECDSA and Ed25519 signatures cost less than dispatching them to another thread.
    if (this.algorithm !== 'rsa') return sign(digest, tbs, this.#privateKey);
    // The callback form runs off the main thread, which an RSA-4096 signature would block for milliseconds.
    const signing = () =>
      new Promise<Buffer>((resolve, reject) => {
        sign(digest, tbs, this.#privateKey, (error, signature) => (error ? reject(error) : resolve(signature)));
      });
    return this.#isSlow ? this.#scheduler.runSlow(signing) : this.#scheduler.run(signing);
  }

  toJSON(): string {
    return `[signing key: ${this.algorithm}]`;
  }

  [inspect.custom](): string {
    return this.toJSON();
  }
}
