// Starts the approver: reads the configuration, wires the parts together, and drains them in order at the end. The only
// file of the service that exits.

import { CSR_PATH } from '@countersign/common/csr.ts';
import { runController } from '@countersign/common/runtime/controller/run-controller.ts';
import { createClusterClient } from '@countersign/common/runtime/kube/cluster-client.ts';
import { csrProtobuf } from '@countersign/common/runtime/kube/protobuf/csr-protobuf.ts';
import { printableConfig } from '@countersign/common/runtime/options/config.ts';
import { createStopSignal, requireNode } from '@countersign/common/runtime/process/lifecycle.ts';
import { createLogger } from '@countersign/common/runtime/process/log.ts';
import { createRegistry, createRequestObserver } from '@countersign/common/runtime/process/metrics.ts';
import { reportFailure, runProgram } from '@countersign/common/runtime/process/program.ts';
import { Controller } from './controller.ts';
import { ApproverMetrics } from './metrics.ts';
import { type ApproverConfig, findMistakes, OPTIONS, requestPolicy, signerScope } from './options.ts';

const SERVICE = 'countersign-approver';

async function run(config: ApproverConfig): Promise<number> {
  const log = createLogger({ service: SERVICE, level: config.logLevel });
  log.info({ config: printableConfig(OPTIONS, config), version: process.version }, 'starting');
  const stop = createStopSignal({ log, exit: code => process.exit(code) });
  const registry = createRegistry();
  const metrics = new ApproverMetrics(registry);
  const client = createClusterClient({
    kubeconfig: config.kubeconfig,
    observe: createRequestObserver(registry),
    protobuf: [csrProtobuf({ labels: false })],
  });
  const scope = signerScope(config);
  const { workers } = config;
  const controller = new Controller({ client, log, metrics, scope, workers, requestPolicy: requestPolicy(config) });
  const contactPath = CSR_PATH;
  return runController({ service: SERVICE, config, client, log, registry, controller, contactPath }, stop);
}

try {
  requireNode();
  process.exitCode = await runProgram({ service: SERVICE, options: OPTIONS, findMistakes }, run);
} catch (error) {
  await reportFailure(SERVICE, error);
  process.exit(1);
}
