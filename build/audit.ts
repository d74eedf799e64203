// `make audit`: fails if npm knows a vulnerability of severity high or critical in a locked package. A registry that cannot
// be reached, or that answers no audits, is reported and is no failure.

import { spawnSync } from 'node:child_process';
import { ROOT } from './bundle.ts';

// npm's own limits let a silent registry hold up the caller for a quarter of an hour. Under `npm run --silent` it would not say why
// it failed.
const ARGS = ['audit', '--audit-level=high', '--loglevel=warn', '--fetch-retries=0', '--fetch-timeout=30000'];
/** npm ends with 1 for this as for a vulnerability. */
const UNANSWERED = 'audit endpoint returned an error';
const NOT_AUDITED =
  'The packages were not audited: the registry did not answer, see above. `npm config get registry` names it.\n';

function main(): void {
  const { status, stdout, stderr, error } = spawnSync('npm', ARGS, { cwd: ROOT, encoding: 'utf8' });
  if (error !== undefined) throw error;
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  if (stderr.includes(UNANSWERED)) process.stderr.write(NOT_AUDITED);
  else process.exitCode = status ?? 1;
}

main();
