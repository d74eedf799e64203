// `make audit`: fails if npm knows a vulnerability of severity high or critical in a locked package. A registry that is
// unreachable or does not support audits is reported but is not a failure.

import { spawnSync } from 'node:child_process';
import { ROOT } from './bundle.ts';

// npm's default limits let an unresponsive registry block the caller for 15 minutes. The log level overrides `npm run
// --silent`, which would hide the cause of a failure.
const ARGS = ['audit', '--audit-level=high', '--loglevel=warn', '--fetch-retries=0', '--fetch-timeout=30000'];
/** npm exits with 1 both for this and for a vulnerability. */
const UNANSWERED = 'audit endpoint returned an error';
const NOT_AUDITED =
  'The packages were not audited because the registry did not respond (see above). Run `npm config get registry` to see which registry is used.\n';

function main(): void {
  const { status, stdout, stderr, error } = spawnSync('npm', ARGS, { cwd: ROOT, encoding: 'utf8' });
  if (error !== undefined) throw error;
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  if (stderr.includes(UNANSWERED)) process.stderr.write(NOT_AUDITED);
  else process.exitCode = status ?? 1;
}

main();
