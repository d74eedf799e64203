// CPU time and memory of another process, as /proc reports them.

import { readFileSync } from 'node:fs';

/** The unit of CPU time in /proc/<pid>/stat (USER_HZ, 100 on every Linux). */
const MILLISECONDS_PER_TICK = 10;

/** Milliseconds of CPU time, user and system (fields 14 and 15 of /proc/<pid>/stat). */
export function processCpuMs(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MILLISECONDS_PER_TICK;
}

export function residentMB(pid: number | undefined): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1_024;
}
