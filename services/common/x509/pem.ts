// Reads and writes PEM (RFC 7468): finds the blocks of a text and decodes their base64. Ignores text around the blocks,
// as Go does, and blocks in comments; rejects any other stray boundary, so that no block is overlooked. Never inspects
// the content of a block.

import { err, ok, type Result } from '../result.ts';

export interface PemBlock {
  readonly label: string;
  readonly der: Buffer;
}

const BEGIN = /^-----BEGIN ([A-Z0-9 #]+)-----[ \t]*\r?$/gm;
const REST_OF_LINE = /^[ \t]*\r?(\n|$)/;
const STRAY_BOUNDARY = 'misplaced or unmatched -----BEGIN/-----END line: put each on its own line';

/** Every block of the text, in order; no block is not an error. The error says why a block cannot be read. */
export function parsePem(text: string): Result<PemBlock[]> {
  const blocks: PemBlock[] = [];
  let read = 0;
  for (const begin of text.matchAll(BEGIN)) {
    if (hasBoundary(text.slice(read, begin.index))) return err(STRAY_BOUNDARY);
    const label = begin[1] ?? '';
    const start = begin.index + begin[0].length;
    const close = `\n-----END ${label}-----`;
    const end = text.indexOf(close, start);
    if (end < 0) return err(`PEM block ${label} has no -----END line`);
    read = end + close.length;
    if (!REST_OF_LINE.test(text.slice(read))) return err(missingLineBreak(label));
    const der = readBody(label, text.slice(start, end));
    if (!der.ok) return der;
    blocks.push({ label, der: der.value });
  }
  return hasBoundary(text.slice(read)) ? err(STRAY_BOUNDARY) : ok(blocks);
}

function readBody(label: string, body: string): Result<Buffer> {
  const der = decodeBase64(body);
  if (der.ok) return der;
  if (/^Proc-Type:.*ENCRYPTED/m.test(body)) return err(`PEM block ${label} is encrypted: provide it unencrypted`);
  // RFC 1421 section 4.6 has headers; RFC 7468 section 2 does not allow them.
  const isHeaded = /^\s*[\w-]+:/.test(body);
  return err(`PEM block ${label} ${isHeaded ? 'has headers: remove them' : 'is not valid base64'}`);
}

/** Ignores comment lines. */
function hasBoundary(text: string): boolean {
  return /^(?![ \t]*[#;>]).*-----(BEGIN|END)/m.test(text);
}

/** Two concatenated files, the first without a line break at its end: the second would be lost. */
function missingLineBreak(label: string): string {
  return `PEM block ${label} is followed by text on the same line: add a line break after -----END ${label}-----`;
}

/** Decodes base64 with padding (RFC 4648 section 4); ignores white space and rejects any other character. */
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
