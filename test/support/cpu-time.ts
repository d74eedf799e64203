// The CPU time of this process, for tests of what an algorithm costs: unlike the time of day, it does not pass while
// another process has the core.

/** Milliseconds of all threads, so far. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
