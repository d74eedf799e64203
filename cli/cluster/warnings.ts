// Reads the warnings of the API server (RFC 9111 appendix, `299 - "text"`). Pure.

export function readWarnings(header: string | readonly string[] | undefined): readonly string[] {
  const lines = typeof header === 'string' ? [header] : (header ?? []);
  return lines.flatMap(line =>
    [...line.matchAll(/299 [^ ]+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text.replace(/\\(.)/g, '$1')),
  );
}
