// PEM (RFC 7468): finds the blocks of a text and undoes their base64, and writes a block. Strict inside a block; text
// around the blocks is ignored, as Go does. Never looks at what a block holds.

import { err, ok, type Result } from './result.ts';

export interface PemBlock {
  readonly label: string;
  readonly der: Buffer;
}

/** Every block of the text, in order; none is not an error. The error tells why a block that begins cannot be read. */
export function parsePem(text: string): Result<PemBlock[]> {
  const blocks: PemBlock[] = [];
  for (const begin of text.matchAll(/^-----BEGIN ([A-Z0-9 ]+)-----[ \t]*\r?$/gm)) {
    const start = begin.index + begin[0].length;
    const label = begin[1] ?? '';
    const end = text.indexOf(`\n-----END ${label}-----`, start);
    if (end < 0) return err(`PEM block ${label} does not end`);
    const der = decodeBase64(text.slice(start, end));
    if (!der.ok) return err(`PEM block ${label} is not base64`);
    blocks.push({ label, der: der.value });
  }
  return ok(blocks);
}

/**
 * Undoes base64 with its padding (RFC 4648 section 4); white space is let pass, every other foreign character is not.
 */
export function decodeBase64(text: string): Result<Buffer> {
  const digits = text.replace(/\s+/g, '');
  if (digits.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(digits)) return err('illegal base64 data');
  return ok(Buffer.from(digits, 'base64'));
}

/** Writes one block: lines of 64 columns and a newline at the end, as Go's encoding/pem does. */
export function formatPem(label: string, der: Buffer): string {
  const digits = der.toString('base64');
  let lines = '';
  for (let at = 0; at < digits.length; at += 64) lines += `${digits.slice(at, at + 64)}\n`;
  return `-----BEGIN ${label}-----\n${lines}-----END ${label}-----\n`;
}
