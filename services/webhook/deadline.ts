// Waits for a promise with a timeout. Does not cancel the work.

import { RetryableError } from '@countersign/common/runtime/errors.ts';

/** Rejects with a RetryableError (timeout) when `work` takes longer than `milliseconds`. */
export async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const giveUp = () => reject(new RetryableError(`no answer within ${milliseconds} ms`, { code: 'timeout' }));
  const timer = setTimeout(giveUp, milliseconds);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
