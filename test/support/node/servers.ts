// Command lines of the node's processes, based on those of the control plane. They use the standard ports, because the
// node has a separate network. Starts no process.

import { join } from 'node:path';
import { apiServerArguments, controllerManagerArguments, etcdArguments } from '../control-plane/servers.ts';
import type { ToolName } from '../control-plane/tools.ts';
import { NODE_NAME, POD_NETWORK } from './configuration.ts';
import { API_PORT, componentKubeconfig } from './keys.ts';
import { NODE_ADDRESS } from './node-sandbox.ts';

export type CommandLine = readonly [ToolName, readonly string[]];

const ETCD_PORT = 2379;
const CONTROLLER_MANAGER_PORT = 10_257;

/** If a flag is repeated, the last one wins. */
export function storageServers(dir: string): readonly CommandLine[] {
  return [
    ['etcd', [...etcdArguments(dir, ETCD_PORT, 2380), `--data-dir=${join(dir, 'data', 'etcd')}`]],
    ['kube-apiserver', [...apiServerArguments(dir, API_PORT, ETCD_PORT), ...apiServerOnNode(dir)]],
  ];
}

/** The processes that need a ready API server. */
export function nodeServers(dir: string): readonly CommandLine[] {
  const kubeconfig = (name: string) => componentKubeconfig(dir, name);
  const manager = 'kube-controller-manager';
  return [
    [manager, controllerManagerArguments(dir, CONTROLLER_MANAGER_PORT, kubeconfig(manager))],
    [
      'kube-scheduler',
      [`--kubeconfig=${kubeconfig('kube-scheduler')}`, '--bind-address=127.0.0.1', '--leader-elect=false'],
    ],
    [
      'kubelet',
      [
        `--config=${join(dir, 'kubelet.yaml')}`,
        `--kubeconfig=${kubeconfig('kubelet')}`,
        `--hostname-override=${NODE_NAME}`,
        `--node-ip=${NODE_ADDRESS}`,
        `--root-dir=${join(dir, 'data', 'kubelet')}`,
        `--cert-dir=${join(dir, 'data', 'kubelet-pki')}`,
      ],
    ],
    [
      'kube-proxy',
      [
        `--kubeconfig=${kubeconfig('kube-proxy')}`,
        `--hostname-override=${NODE_NAME}`,
        '--proxy-mode=iptables',
        `--cluster-cidr=${POD_NETWORK}`,
        // Leaves the size of the connection table unchanged, because it belongs to the machine.
        '--conntrack-max-per-core=0',
      ],
    ],
  ];
}

function apiServerOnNode(dir: string): string[] {
  const pki = join(dir, 'pki');
  return [
    '--bind-address=0.0.0.0',
    `--advertise-address=${NODE_ADDRESS}`,
    '--endpoint-reconciler-type=lease',
    '--enable-admission-plugins=NodeRestriction',
    `--kubelet-client-certificate=${join(pki, 'kubelet-client.crt')}`,
    `--kubelet-client-key=${join(pki, 'kubelet-client.key')}`,
    `--kubelet-certificate-authority=${join(pki, 'ca.crt')}`,
    '--kubelet-preferred-address-types=InternalIP',
  ];
}
