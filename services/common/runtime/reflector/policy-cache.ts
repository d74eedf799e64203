// The ApprovalPolicies of the cluster, compiled, for every service that evaluates them. Reports changes and whether the
// cache can be trusted. A service that may not need it loads it dynamically: CEL takes time and memory.

import { createCelCompiler } from '../../approval/cel/cel-program.ts';
import { type Evaluation, evaluate } from '../../approval/evaluate.ts';
import { type ApprovalPolicy, POLICY_PATH } from '../../approval/policy/approval-policy.ts';
import type { CompiledPolicy } from '../../approval/policy/compiled-policy.ts';
import { isSamePolicy, type PolicyRecord, toPolicyRecord } from '../../approval/policy/policy-record.ts';
import { approverSelector } from '../../approval/policy/select-policies.ts';
import type { Asked } from '../../approval/request/judged-request.ts';
import type { FieldError } from '../../field-error.ts';
import type { RequestedCertificate } from '../../requested-certificate.ts';
import type { Result } from '../../result.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { Logger } from '../process/log.ts';
import { listObjects } from './list-objects.ts';
import type { ChangeHandler } from './object-store.ts';
import { Reflector, type ReflectorMetrics } from './reflector.ts';

/** Then the request is evaluated again, as after any error. */
const READ_TIMEOUT_MS = 30_000;

export interface PolicyCacheOptions {
  readonly client: Pick<KubeClient, 'get' | 'watch'>;
  readonly log: Logger;
  readonly metrics: ReflectorMetrics;
  /** Called for each change of an object, such as its status. */
  readonly onChange?: ChangeHandler<PolicyRecord>;
  /** Called when requests have to be evaluated again, after onChange. */
  readonly onPolicies?: () => void;
}

/** An evaluation with all policies of the cluster. */
export interface KnownApproval extends Evaluation {
  /** Whether a policy that can approve names the signer, for any requester. */
  readonly isSignerNamed: boolean;
}

export class PolicyCache {
  readonly reflector: Reflector<PolicyRecord>;
  readonly #client: PolicyCacheOptions['client'];
  readonly #cel = createCelCompiler();

  constructor({ client, log, metrics, onChange, onPolicies }: PolicyCacheOptions) {
    this.#client = client;
    this.reflector = new Reflector<PolicyRecord>({
      client,
      log,
      metrics,
      name: 'approvalpolicies',
      path: POLICY_PATH,
      transform: raw => toPolicyRecord(raw, this.#cel),
      onChange: (name, now, before) => {
        onChange?.(name, now, before);
        if (!isSamePolicy(now, before)) onPolicies?.();
      },
    });
  }

  /** Undefined unless all policies are known: one that is missing could be one that denies. */
  policies(): readonly CompiledPolicy[] | undefined {
    const isKnown = this.reflector.hasSynced && this.reflector.isFresh(Date.now());
    return isKnown ? Array.from(this.reflector.list(), ({ compiled }) => compiled) : undefined;
  }

  /** Reads all policies from the API server, for a decision that is final. Throws the client's errors. */
  async read(): Promise<readonly CompiledPolicy[]> {
    const policies: CompiledPolicy[] = [];
    await listObjects({
      client: this.#client,
      path: POLICY_PATH,
      signal: AbortSignal.timeout(READ_TIMEOUT_MS),
      mayBeOld: false,
      onBegin: () => {
        policies.length = 0;
      },
      onObject: raw => policies.push(this.#compiled(raw as ApprovalPolicy)),
    });
    return policies;
  }

  /** Compiling takes longer than reading: a policy that is cached as it is is not compiled again. */
  #compiled(policy: ApprovalPolicy): CompiledPolicy {
    const cached = this.reflector.get(policy.metadata.name);
    const isCached = cached !== undefined && isSamePolicy(cached, policy);
    return isCached ? cached.compiled : toPolicyRecord(policy, this.#cel).compiled;
  }

  /** Undefined unless all policies are known. */
  evaluate(requested: Result<RequestedCertificate, readonly FieldError[]>, asked: Asked): KnownApproval | undefined {
    const policies = this.policies();
    if (policies === undefined) return undefined;
    const isSignerNamed = policies.some(approverSelector(asked.signerName));
    return { ...evaluate(policies, requested, asked), isSignerNamed };
  }
}
