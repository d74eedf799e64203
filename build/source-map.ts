// Takes out of a source map whatever does not belong to our own sources. Node keeps a map in memory from the first stack trace
// on, and the places of all dependencies are most of it. It changes no place that it keeps (ECMA-426, version 3).

interface SourceMap {
  sources: string[];
  sourcesContent?: (string | null)[];
  mappings: string;
  names: string[];
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** `text` is the JSON of the map, and so is what it gives. */
export function keepOnly(isOurs: (source: string) => boolean, text: string): string {
  const map: SourceMap = JSON.parse(text);
  const places = new Map<number, number>();
  for (const [index, source] of map.sources.entries()) if (isOurs(source)) places.set(index, places.size);
  const kept = <T>(values: readonly T[]) => values.filter((_, index) => places.has(index));
  return JSON.stringify({
    ...map,
    sources: kept(map.sources),
    sourcesContent: kept(map.sourcesContent ?? []),
    names: [],
    mappings: rewrite(map.mappings, places),
  });
}

/** Fields but the column are relative to the segment before, across lines; the column starts anew on each line. */
function rewrite(mappings: string, places: ReadonlyMap<number, number>): string {
  const [read, written] = [
    [0, 0, 0],
    [0, 0, 0],
  ];
  const lines = mappings.split(';').map(line => {
    let [column, writtenColumn] = [0, 0];
    const segments = line.split(',').flatMap(segment => {
      const [columnDelta = 0, ...deltas] = decode(segment);
      column += columnDelta;
      if (deltas.length < 3) return [];
      for (let i = 0; i < 3; i++) read[i] = (read[i] ?? 0) + (deltas[i] ?? 0);
      const source = places.get(read[0] ?? 0);
      if (source === undefined) return [];
      const place = [source, read[1] ?? 0, read[2] ?? 0];
      const differences = [column - writtenColumn, ...place.map((value, i) => value - (written[i] ?? 0))];
      writtenColumn = column;
      written.splice(0, 3, ...place);
      return [differences.map(encode).join('')];
    });
    return segments.join(',');
  });
  return lines.join(';').replace(/;+$/, '');
}

/** Base64 VLQ: five bits in a digit, the lowest first; the sixth says that more follow, the lowest of all is the sign. */
function decode(segment: string): number[] {
  const values: number[] = [];
  let [value, shift] = [0, 0];
  for (const digit of segment) {
    const bits = DIGITS.indexOf(digit);
    value += (bits & 31) << shift;
    shift += 5;
    if (bits >= 32) continue;
    values.push(value & 1 ? -(value >> 1) : value >> 1);
    [value, shift] = [0, 0];
  }
  return values;
}

function encode(value: number): string {
  let rest = value < 0 ? (-value << 1) | 1 : value << 1;
  let text = '';
  do {
    const bits = rest & 31;
    rest >>>= 5;
    text += DIGITS[rest > 0 ? bits | 32 : bits];
  } while (rest > 0);
  return text;
}
