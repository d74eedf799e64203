// Builds images of etcd, kube-apiserver and Prometheus from locally built programs, so that tests pull nothing. As in
// the official images, the programs are in PATH.

import { readFile } from 'node:fs/promises';
import { type Image, writeDockerArchive } from '../../../build/docker-archive.ts';
import { findTools } from '../control-plane/find-tools.ts';
import { findModuleTool, MODULE_TOOLS } from './module-tool.ts';

/** The variables of docker-compose.yml with the names of these images. */
export const STAND_INS = {
  ETCD_IMAGE: 'localhost/etcd:built',
  KUBE_APISERVER_IMAGE: 'localhost/kube-apiserver:built',
  PROMETHEUS_IMAGE: 'localhost/prometheus:built',
} as const;

export async function writeStandIns(archive: string): Promise<void> {
  const tools = await findTools(['etcd', 'kube-apiserver']);
  const prometheus = await findModuleTool(MODULE_TOOLS.prometheus);
  const promtool = await findModuleTool(MODULE_TOOLS.promtool);
  await writeDockerArchive(archive, [
    await image(STAND_INS.ETCD_IMAGE, { etcd: tools.etcd }),
    await image(STAND_INS.KUBE_APISERVER_IMAGE, { 'kube-apiserver': tools['kube-apiserver'] }),
    await image(STAND_INS.PROMETHEUS_IMAGE, { prometheus, promtool }, '65534:65534'),
  ]);
}

async function image(name: string, programs: Readonly<Record<string, string>>, user = '0:0'): Promise<Image> {
  const files = Object.entries(programs).map(async ([program, path]) => {
    return { path: `usr/local/bin/${program}`, mode: 0o755, content: await readFile(path) };
  });
  return {
    name,
    config: { Entrypoint: [], Env: ['PATH=/usr/local/bin'], User: user, WorkingDir: '/', Labels: {} },
    layers: [{ entries: await Promise.all(files), createdBy: 'built from its Go module' }],
  };
}
