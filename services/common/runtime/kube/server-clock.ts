// The API server's clock, from the Date of its last response. The API server judges whether a certificate is valid, and
// the clock of this process may be wrong. Accurate to about a second; the process's own clock until there is a response
// with a Date.

import type { RequestObserver } from './kube-connection.ts';

/** Date is truncated to whole seconds: half a second is the smallest error on either side. */
export const MEAN_TRUNCATION_MS = 500;

export class ServerClock {
  #offsetMs = 0;

  readonly observe: RequestObserver = ({ serverTime = NaN }) => {
    if (Number.isFinite(serverTime)) this.#offsetMs = serverTime + MEAN_TRUNCATION_MS - Date.now();
  };

  readonly now = (): Date => new Date(Date.now() + this.#offsetMs);
}
