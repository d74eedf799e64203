// The error for what the operator of a process has to change: a file, an address, the Node.js version. Its message is
// all that the operator needs, so that it is printed without a stack.

export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

const FILE_PROBLEMS: ReadonlyMap<unknown, string> = new Map([
  ['ENOENT', 'does not exist'],
  ['ENOTDIR', 'does not exist'],
  ['EISDIR', 'is a directory, not a file'],
  ['EACCES', 'cannot be read: permission denied'],
]);

/** Undefined if the error has another cause than a wrong path. */
export function explainFileError(error: unknown, path: string): ConfigurationError | undefined {
  const problem = FILE_PROBLEMS.get((error as NodeJS.ErrnoException).code);
  return problem === undefined ? undefined : new ConfigurationError(`${path} ${problem}`, { cause: error });
}
