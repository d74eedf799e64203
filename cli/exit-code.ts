// The exit codes of the command, with their meaning for `--help` and docs/cli.md. Pure.

export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  refused: 3,
  timeout: 4,
  unconfirmed: 5,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** One row for each code, in order. */
export const EXIT_CODES: readonly (readonly [ExitCode, string])[] = [
  [EXIT.ok, 'success'],
  [EXIT.failure, 'failure: the API server refused a request, or something could not be read or written'],
  [EXIT.usage, 'wrong usage: nothing was sent'],
  [EXIT.refused, 'the CSR is Denied or Failed; `explain`: it cannot be signed as it is'],
  [EXIT.timeout, 'timeout: the CSR may still be signed'],
  [EXIT.unconfirmed, 'not confirmed: the answer was no, or the CSR changed after it was shown'],
];
