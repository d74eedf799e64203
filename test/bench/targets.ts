// The performance targets, as ratios of Countersign to the reference in the same run.

import { atLeast, atMost } from './row.ts';

export const TARGETS = {
  drain: atLeast(1.4),
  throughputVsWrites: atLeast(0.8),
  memoryAfterDrain: atMost(1),
  firstCertificate: atMost(1.5),
  certificateCpu: atMost(0.5),
  drainRsa: atLeast(1.3),
  p50: atMost(0.5),
  p99: atMost(0.7),
  podRate: atLeast(0.9),
  podMemory: atMost(1.1),
  podP50: atMost(1),
  podReviews: atMost(1),
  csrBesidePods: atMost(2),
  approvalRate: atLeast(0.8),
  createP50: atMost(1.9),
  createRate: atLeast(0.65),
  admissionCpu: atMost(3),
  memoryWithOld: atMost(0.7),
  firstCertificateWithOld: atMost(1),
} as const;
