// How long Vault servers take to answer and how often they fail. No label names an issuer or a server, nor has a value
// that a server chooses.

import { Histogram, type Registry } from 'prom-client';
import { isHealthy, isPassing, type VaultAnswer } from './vault-fault.ts';

export type VaultPurpose = 'login' | 'sign' | 'health';
type Result = 'success' | 'refused' | 'unavailable' | 'unreachable';

/** Up to the time limit of a call. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10];

export class VaultMetrics {
  readonly #durations: Histogram<'purpose' | 'result'>;

  constructor(registry: Registry) {
    this.#durations = new Histogram({
      name: 'countersign_vault_request_duration_seconds',
      help: 'Seconds until a Vault server answers, by purpose (login, sign, health) and result: success, refused (by the role, a policy or the credentials), unavailable (overloaded, sealed), unreachable (no answer).',
      labelNames: ['purpose', 'result'],
      buckets: SECONDS,
      registers: [registry],
    });
  }

  /** Measures one call. */
  async observe(purpose: VaultPurpose, call: () => Promise<VaultAnswer>): Promise<VaultAnswer> {
    const stop = this.#durations.startTimer({ purpose });
    try {
      const answer = await call();
      stop({ result: resultOf(purpose, answer) });
      return answer;
    } catch (error) {
      stop({ result: 'unreachable' });
      throw error;
    }
  }
}

function resultOf(purpose: VaultPurpose, answer: VaultAnswer): Result {
  const isSuccess = purpose === 'health' ? isHealthy(answer) : answer.statusCode === 200;
  if (isSuccess) return 'success';
  return isPassing(answer) ? 'unavailable' : 'refused';
}
