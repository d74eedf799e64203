// Loads a CA's key pair and chain from a Secret, once per version of the Secret. Error texts are cert-manager's;
// decides nothing about a request.

import { showName } from '@countersign/common/object-name.ts';
import { err, ok, type Result } from '@countersign/common/result.ts';
import { formatSecretRef, type Secret, type SecretRef } from '@countersign/common/secret.ts';
import { explained, readPem } from '../issuers/observe-secret.ts';
import type { ObservedSecret } from '../secret.ts';
import { type CaCertificate, parseCertificates, parseFirstCertificate } from './ca-certificate.ts';
import { type IssuerChain, linkIssuerChain } from './chain.ts';
import type { ComputeScheduler } from './compute-scheduler.ts';
import { loadSigningKey, type SigningKey } from './signing-key.ts';

/** The CA in one version of a Secret. */
export interface KeyPair {
  readonly key: SigningKey;
  readonly certificate: CaCertificate;
  /** The chain, or why certificates signed with this pair would be rejected. */
  readonly chain: Result<IssuerChain>;
  /** Which certificate makes strict clients reject what this pair signs, and why. */
  readonly strictFault: string | undefined;
}

/** A Secret as read, and the parse result. */
export interface LoadedSecret {
  readonly secret: ObservedSecret;
  readonly pair: Result<KeyPair>;
}

/** Parses each Secret once, valid or not: the reader returns the same object as long as its data does not change. */
export class KeyPairLoader {
  readonly #scheduler: ComputeScheduler;
  readonly #loaded = new WeakMap<Secret, Promise<Result<KeyPair>>>();

  constructor(scheduler: ComputeScheduler) {
    this.#scheduler = scheduler;
  }

  async load(observed: ObservedSecret): Promise<LoadedSecret> {
    const { ref, secret } = observed;
    this.#scheduler.noteUse(ref);
    if (secret === undefined) return { secret: observed, pair: err(`secrets "${showName(ref.name)}" not found`) };
    const parse = () => parseKeyPair(secret, ref, this.#scheduler);
    const known = this.#loaded.get(secret) ?? this.#scheduler.load(ref, parse);
    this.#loaded.set(secret, known);
    return { secret: observed, pair: await known };
  }

  /** Marks the pair in the Secret as invalid until its data changes. */
  reject(secret: Secret, problem: string): void {
    this.#loaded.set(secret, Promise.resolve(err(problem)));
  }
}

/** Error texts as in cert-manager's pkg/util/kube (SecretTLSKeyPairAndCA). */
async function parseKeyPair(secret: Secret, ref: SecretRef, scheduler: ComputeScheduler): Promise<Result<KeyPair>> {
  const name = formatSecretRef(ref);
  const [keyPem, certificatePem, caPem] = ['tls.key', 'tls.crt', 'ca.crt'].map(key => readPem(secret, key));
  if (!keyPem) return err(`no private key data for "tls.key" in secret '${name}'`);
  const key = explained(await loadSigningKey(keyPem, scheduler.ofSigning(ref)), keyPem, 'private key');
  if (!key.ok) return key;
  if (!certificatePem) return err(`no certificate data for "tls.crt" in secret '${name}'`);
  const certificates = explained(parseCertificates(certificatePem), certificatePem, 'certificate');
  if (!certificates.ok) return certificates;
  const root = caPem ? explained(parseFirstCertificate(caPem), caPem, 'certificate') : undefined;
  if (root?.ok === false) return root;
  const certificate = certificates.value[0] as CaCertificate;
  return ok({
    key: key.value,
    certificate,
    strictFault: findStrictFault(certificates.value, root?.value),
    chain: await link(key.value, [...certificates.value, ...(root ? [root.value] : [])]),
  });
}

function findStrictFault(certificates: readonly CaCertificate[], root: CaCertificate | undefined): string | undefined {
  const named = certificates.map((certificate, at) => [`certificate ${at + 1} in tls.crt`, certificate] as const);
  const all = root === undefined ? named : [...named, ['the certificate in ca.crt', root] as const];
  const [name, found] = all.find(([, { strictFaults }]) => strictFaults.length > 0) ?? [];
  return found && `${name} has ${found.strictFaults.join(', and ')}`;
}

async function link(key: SigningKey, certificates: readonly CaCertificate[]): Promise<Result<IssuerChain>> {
  const [signer] = certificates;
  if (signer === undefined || !key.isKeyOf(signer.spki)) {
    return err("error creating x509 certificate: x509: provided PrivateKey doesn't match parent's PublicKey");
  }
  // cert-manager fails the request for this, but no requester can fix a CA key that is too small.
  if (!key.signatureAlgorithm.ok) return key.signatureAlgorithm;
  return linkIssuerChain(certificates);
}
