// Runs a program of the compose stack. Outside the stack its mounted files are missing: that is reported in one line.

const MOUNTS = /^\/(keys|setup|out)(\/|$)/;

export async function runInStack(main: () => Promise<number | void>): Promise<void> {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    const { code, path = '' } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' || !MOUNTS.test(path)) throw error;
    process.stderr.write(`${path} does not exist. This program runs in the compose stack only: docker compose up\n`);
    process.exitCode = 1;
  }
}
