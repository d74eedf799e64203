// Logs for tests: one for whatever is tested without a look at its log, whose errors show in the output, and one to be looked at.

import { createLogger, type LogLevel } from '@countersign/common/runtime/process/log.ts';

export const TEST_LOG = createLogger({ service: 'test', level: 'error' });

/** A log whose lines are kept. */
export function recordLog(level: LogLevel, service = 'test') {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  return { lines, log: createLogger({ service, level, destination }) };
}
