// The performance targets, as ratios of Countersign to the reference in the same run.

import { atLeast, atMost, inEveryRun } from './row.ts';

export const TARGETS = {
  drain: atLeast(1.5),
  drainRsa: atLeast(1.3),
  drainVsWrites: inEveryRun(atLeast(0.8)),
  drainVsLimits: atLeast(20),
  memoryAfterDrain: atMost(1.4),
  firstCertificate: atMost(1.1),
  certificateCpu: atMost(0.65),
  p50: atMost(0.6),
  p99: atMost(0.7),
  p50VsWrite: atMost(1.2),
  p99VsWrite: atMost(1.3),
  latencyCpu: atMost(1),
  podRate: atLeast(0.9),
  podMemory: atMost(1.1),
  podP50: atMost(1),
  podReviews: atMost(1),
  csrBesidePods: atMost(2),
  approvalRate: atLeast(0.8),
  vaultDrain: atLeast(1.5),
  vaultCalls: atMost(0.55),
  createP50: atMost(1.6),
  createRate: atLeast(0.7),
  admissionCpu: atMost(3),
  webhookMemory: atMost(1),
  /** Flat: 5 000 creations more change nothing but the noise. */
  webhookGrowth: atMost(1.05),
  memoryWithOld: atMost(0.5),
  firstCertificateWithOld: atMost(1.1),
} as const;
