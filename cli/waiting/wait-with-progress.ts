// Waits for a CSR with a line of progress on a terminal, within a timeout.

import { setInterval } from 'node:timers';
import { MILLISECOND, parseGoDuration } from '@countersign/common/duration.ts';
import { usageError } from '../cli-error.ts';
import type { Api } from '../cluster/api.ts';
import type { Csr } from '../cluster/csr.ts';
import type { Io } from '../terminal/io.ts';
import { waitForEnd } from './wait-for-end.ts';
import { progressText, requireIssued } from './wait-result.ts';

export const TIMEOUT_FLAG = {
  timeout: { value: 'DURATION', help: 'How long to wait, such as 30s or 5m; 0s waits forever. Defaults to 5m.' },
} as const;

const DEFAULT_TIMEOUT = '5m';

/** setTimeout cannot wait longer. */
const MAX_MS = 2 ** 31 - 1;

export interface Timeout {
  readonly text: string;
  readonly ms: number;
}

export function parseTimeout(text = DEFAULT_TIMEOUT): Timeout {
  const duration = parseGoDuration(text);
  if (!duration.ok || duration.value < 0n)
    throw usageError(`--timeout: "${text}" is not a duration`, 'Use for example --timeout=90s.');
  const ms = Number(duration.value / MILLISECOND);
  return { text, ms: ms === 0 ? MAX_MS : Math.min(ms, MAX_MS) };
}

/** The CSR with its certificate; throws for every other end. */
export async function waitWithProgress(api: Api, io: Io, csr: Csr, { text, ms }: Timeout): Promise<Csr> {
  let last = csr;
  const started = performance.now();
  const show = () => io.progress(progressText(last, Math.round((performance.now() - started) / 1000)));
  const ticker = setInterval(show, 1_000);
  const onChange = (next: Csr) => {
    last = next;
    show();
  };
  try {
    const end = await waitForEnd(api, { csr, signal: AbortSignal.timeout(ms), onChange });
    return requireIssued(end, csr.metadata.name, text);
  } finally {
    clearInterval(ticker);
    io.progress('');
  }
}
