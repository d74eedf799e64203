// One line of `status`. Pure.

export interface Finding {
  /** What was checked. */
  readonly what: string;
  readonly state: 'ok' | 'warning' | 'bad' | 'unknown';
  readonly text: string;
}

const DAY_MS = 86_400_000;

/** A certificate that expires sooner is a warning. */
const SOON_DAYS = 30;

export function expiryFinding(what: string, expiry: Date, now: Date): Finding {
  const days = Math.floor((expiry.getTime() - now.getTime()) / DAY_MS);
  const date = `${expiry.toISOString().slice(0, 19)}Z`;
  if (expiry <= now) return { what, state: 'bad', text: `expired at ${date}` };
  const text = `expires at ${date}, in ${days} days`;
  return { what, state: days < SOON_DAYS ? 'warning' : 'ok', text };
}
