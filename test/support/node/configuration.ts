// The configuration of containerd, its network plugin and the kubelet, as text.

import { join } from 'node:path';
import { stringify } from 'yaml';
import { NODE_ADDRESS } from './node-sandbox.ts';
import type { Programs } from './programs.ts';

export const PAUSE_IMAGE = 'localhost/countersign-pause:1';
export const POD_NETWORK = '10.244.0.0/24';
export const NODE_NAME = 'node';

export interface NodePlaces {
  readonly dir: string;
  readonly cgroup: string;
}

export function runtimeSocket(dir: string): string {
  return join(dir, 'data', 'containerd.sock');
}

export function containerdConfiguration(dir: string, programs: Programs): string {
  return `version = 2
root = "${dir}/data/containerd"
state = "${dir}/data/containerd-state"

[grpc]
address = "${runtimeSocket(dir)}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "${PAUSE_IMAGE}"
stream_server_address = "127.0.0.1"
disable_apparmor = true
restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "${programs.cniFolder}"
conf_dir = "${dir}/cni"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
BinaryName = "${programs.paths.runc}"
SystemdCgroup = false
`;
}

/** Each pod gets an address on one bridge; the node is its gateway. */
export function networkConfiguration(dir: string): string {
  const ipam = { type: 'host-local', dataDir: join(dir, 'data', 'ipam'), ranges: [[{ subnet: POD_NETWORK }]] };
  const bridge = { type: 'bridge', bridge: 'pods0', isDefaultGateway: true, hairpinMode: true, ipMasq: false, ipam };
  return JSON.stringify({ cniVersion: '0.4.0', name: 'pods', plugins: [bridge] });
}

export function kubeletConfiguration({ dir, cgroup }: NodePlaces): string {
  const pki = join(dir, 'pki');
  const kubelet = join(dir, 'data', 'kubelet');
  return stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    containerRuntimeEndpoint: `unix://${runtimeSocket(dir)}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: cgroup,
    failCgroupV1: false,
    failSwapOn: false,
    address: NODE_ADDRESS,
    readOnlyPort: 0,
    tlsCertFile: join(pki, 'kubelet.crt'),
    tlsPrivateKeyFile: join(pki, 'kubelet.key'),
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(pki, 'ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    // No cluster DNS: pods find the API server from the environment variables of its Service.
    resolvConf: '',
    makeIPTablesUtilChains: false,
    // Disables disk eviction: the disk belongs to the machine, and its usage is unrelated to the node.
    evictionHard: { 'memory.available': '50Mi', 'nodefs.available': '0%', 'imagefs.available': '0%' },
    imageGCHighThresholdPercent: 100,
    nodeStatusUpdateFrequency: '4s',
    syncFrequency: '10s',
    volumePluginDir: join(kubelet, 'volume-plugins'),
    podLogsDir: join(kubelet, 'pod-logs'),
  });
}
