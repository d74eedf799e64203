// Loggers for tests: one that prints only errors, and one that keeps its lines for assertions.

import { createLogger, type LogLevel } from '@countersign/common/runtime/process/log.ts';

export const TEST_LOG = createLogger({ service: 'test', level: 'error' });

/** A logger that keeps its lines. */
export function recordLog(level: LogLevel, service = 'test') {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  return { lines, log: createLogger({ service, level, destination }) };
}
