// Runs the container of a rendered Deployment as a process, with its arguments expanded as by the kubelet and a token
// of its ServiceAccount. Only the port for health and metrics differs, because all processes share one address.

import { join } from 'node:path';
import type { ControlPlane } from './control-plane/control-plane.ts';
import { freePort } from './control-plane/loopback.ts';
import {
  type RunningService,
  type ServiceName,
  startService,
  waitUntilReady,
  writeAccountKubeconfig,
} from './service-process.ts';

export interface Deployment {
  readonly metadata: { readonly namespace?: string };
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly serviceAccountName: string;
        readonly containers: readonly Container[];
      };
    };
  };
}

interface Container {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: readonly Variable[];
}

export interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef?: { readonly fieldPath: string } };
}

/** Resolves when the service is ready. */
export async function startPod(controlPlane: ControlPlane, deployment: Deployment): Promise<RunningService> {
  const { namespace = 'default' } = deployment.metadata;
  const { serviceAccountName: account, containers } = deployment.spec.template.spec;
  const [container] = containers;
  if (container === undefined) throw new Error(`${account} has no container`);
  const name = container.name as ServiceName;
  const file = (ending: string) => join(controlPlane.dir, `${name}.${ending}`);
  const kubeconfig = await writeAccountKubeconfig(controlPlane, { account, namespace, path: file('kubeconfig') });
  const httpPort = await freePort();
  const variables = readEnvironment(container.env, namespace);
  const args = container.args.map(arg => expand(arg, variables)).filter(arg => !arg.startsWith('--http-address='));
  const own = [`--http-address=127.0.0.1:${httpPort}`, `--kubeconfig=${kubeconfig}`];
  const service = startService({ name, httpPort, args: [...args, ...own], logPath: file('log') });
  try {
    await waitUntilReady(service);
    return service;
  } catch (error) {
    await service.child.stop(0);
    throw error;
  }
}

/** Returns the container's environment variables as the kubelet sets them, for literal values and the namespace. */
export function readEnvironment(env: readonly Variable[], namespace: string): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const { name, value, valueFrom } of env) {
    const isNamespace = valueFrom?.fieldRef?.fieldPath === 'metadata.namespace';
    values[name] = isNamespace ? namespace : expand(value ?? '', values);
  }
  return values;
}

/** `$(NAME)` is replaced by the value of the variable, and left unchanged if there is none. */
function expand(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\$\((\w+)\)/g, (reference, name) => values[name] ?? reference);
}
