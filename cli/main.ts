// The kubectl plugin `kubectl countersign`. The only file of the command that reads its arguments and the environment,
// and that exits.

import { run } from './run.ts';
import { createProcessIo } from './terminal/process-io.ts';

/** As a shell reports a command that Ctrl-C ended. */
const INTERRUPTED = 130;

const io = createProcessIo(process.env);
process.once('SIGINT', () => {
  io.progress('');
  process.exit(INTERRUPTED);
});
// A closed pipe, as with `| head`, is not an error.
process.stdout.on('error', () => process.exit(0));

process.exitCode = await run(process.argv.slice(2), io);
