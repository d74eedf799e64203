// Checks whether the values of an RSA private key are consistent, as Go's parser does: OpenSSL checks nothing when
// parsing, and signs with the private exponent if the primes are wrong. Pure; reveals nothing about the values.

/** `magnitudes` are those of an RSAPrivateKey after its version, in order (RFC 8017 appendix A.1.2). */
export function findRsaNumbersFault(magnitudes: readonly Buffer[]): string | undefined {
  const [n, e, d, p, q, ...crt] = magnitudes.map(toNumber) as unknown as Numbers;
  if (e < 3n || e % 2n === 0n || e >= 2n ** 31n) return 'the RSA public exponent must be odd, from 3 to 2^31 - 1';
  const key = { n, e, d, p, q };
  if (!isConsistent(key) || !areDerived(key, crt)) return 'the RSA private key is inconsistent';
  return isSafe(key)
    ? undefined
    : 'the RSA key is insecure: its primes are too close, or its private exponent is too small';
}

type Numbers = [n: bigint, e: bigint, d: bigint, p: bigint, q: bigint, dP: bigint, dQ: bigint, qInv: bigint];
type RsaKey = Readonly<Record<'n' | 'e' | 'd' | 'p' | 'q', bigint>>;

function isConsistent({ n, e, d, p, q }: RsaKey): boolean {
  if (p <= 2n || q <= 2n || p * q !== n || n % 2n === 0n || d >= n) return false;
  return (d * e) % (p - 1n) === 1n && (d * e) % (q - 1n) === 1n;
}

/** The CRT parameters. */
function areDerived({ d, p, q }: RsaKey, [dP, dQ, qInv]: readonly bigint[]): boolean {
  if (dP !== d % (p - 1n) || dQ !== d % (q - 1n)) return false;
  return qInv !== undefined && qInv < p && (qInv * q) % p === 1n;
}

/** Guards against Fermat factorization and small private exponents, with Go's bounds. */
function isSafe({ n, d, p, q }: RsaKey): boolean {
  const half = Math.floor(bitLength(n) / 2);
  return bitLength(p > q ? p - q : q - p) > half - 100 && bitLength(d) > half;
}

function toNumber(magnitude: Buffer): bigint {
  return BigInt(`0x${magnitude.toString('hex')}`);
}

function bitLength(number: bigint): number {
  return number === 0n ? 0 : number.toString(2).length;
}
