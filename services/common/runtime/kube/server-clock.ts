// The API server's clock, by the Date of its last answer. The API server judges when a certificate is valid, and the clock of this
// process may be wrong. Exact to about a second; the process's own clock until there is an answer with a Date.

import type { RequestObserver } from './kube-connection.ts';

/** The Date of an answer is cut to whole seconds: half a second is the least error on either side. */
export const MEAN_CUT_MS = 500;

export class ServerClock {
  #offsetMs = 0;

  readonly observe: RequestObserver = ({ serverTime = NaN }) => {
    if (Number.isFinite(serverTime)) this.#offsetMs = serverTime + MEAN_CUT_MS - Date.now();
  };

  readonly now = (): Date => new Date(Date.now() + this.#offsetMs);
}
