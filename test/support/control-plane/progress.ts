// Reports long operations: one line that is updated on a terminal, occasional plain lines otherwise, and nothing for
// short operations.

export interface Step {
  /** Sets the current detail of the step. */
  readonly note: (text: string) => void;
  readonly done: () => void;
}

export interface Progress {
  readonly step: (what: string) => Step;
  readonly say: (text: string) => void;
}

export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Milliseconds. A step shorter than `quiet` prints no final line; `every` is the interval between two plain lines. */
export interface ProgressPace {
  readonly quiet: number;
  readonly every: number;
}

const CLEAR_LINE = '\r\u001b[2K';

export function createProgress(
  stream: ProgressStream = process.stderr,
  pace: ProgressPace = { quiet: 5_000, every: 30_000 },
): Progress {
  return {
    say: text => void stream.write(`${text}\n`),
    step: what => (stream.isTTY ? terminalStep(stream, what, pace) : plainStep(stream, what, pace)),
  };
}

function terminalStep(stream: ProgressStream, what: string, pace: ProgressPace): Step {
  const started = Date.now();
  let latest = '';
  const draw = () => {
    const line = `${what}, ${seconds(started)} s${latest && `: ${latest}`}`;
    stream.write(CLEAR_LINE + line.slice(0, (stream.columns || 80) - 1));
  };
  draw();
  const timer = setInterval(draw, 500).unref();
  return {
    note: text => {
      latest = text;
    },
    done: () => {
      clearInterval(timer);
      stream.write(CLEAR_LINE + closing(what, started, pace));
    },
  };
}

function plainStep(stream: ProgressStream, what: string, pace: ProgressPace): Step {
  const started = Date.now();
  let latest = '';
  const write = () => stream.write(`${what}, ${seconds(started)} s${latest && `: ${latest}`}\n`);
  const timers = [setTimeout(write, pace.quiet).unref(), setInterval(write, pace.every).unref()];
  return {
    note: text => {
      latest = text;
    },
    done: () => {
      timers.forEach(clearInterval);
      stream.write(closing(what, started, pace));
    },
  };
}

function closing(what: string, started: number, pace: ProgressPace): string {
  return Date.now() - started < pace.quiet ? '' : `${what}: done in ${seconds(started)} s\n`;
}

function seconds(since: number): number {
  return Math.round((Date.now() - since) / 1000);
}
