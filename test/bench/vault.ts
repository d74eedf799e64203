// Measures a Vault issuer beside cert-manager's own Vault controller, with the same OpenBao server, role and AppRole.
// OpenBao runs on the same cores, so its share of the CPU time is measured too.

import { type OpenBao, startOpenBao } from '../support/openbao.ts';
import { setUpAppRole, setUpPki } from '../support/vault-pki.ts';
import { createIssuer, createSecret, type Figures, type World } from './bench-cluster.ts';
import type { Measured, Plan } from './measurements.ts';
import { processCpuMs } from './process-figures.ts';
import { NO_TARGET } from './row.ts';
import { alternate, type Cost, compare, costOf, drain, perCertificate, type Side, VAULT_ISSUER } from './sides.ts';
import { TARGETS } from './targets.ts';

const COUNT = 1_000;

export async function measureVault(world: World, { runs }: Plan): Promise<Measured> {
  const bao = await startOpenBao();
  try {
    await createVaultIssuer(world, bao);
    const sides = await alternate(runs, {
      ours: () => drainVault(world, bao, 'ours'),
      theirs: () => drainVault(world, bao, 'theirs'),
    });
    return { rows: rowsOf(sides), costs: costsOf(sides) };
  } finally {
    await bao.stop();
  }
}

/** As an administrator would: with a login, not with a token that has to be renewed. */
async function createVaultIssuer(world: World, bao: OpenBao): Promise<void> {
  await setUpPki(bao, {}, { key_type: 'ec', key_bits: 256 });
  const { roleId, secretId } = await setUpAppRole(bao);
  await createSecret(world, 'approle', { secretId });
  const appRole = { path: 'approle', roleId, secretRef: { name: 'approle', key: 'secretId' } };
  await createIssuer(world, {
    kind: 'ClusterIssuer',
    name: VAULT_ISSUER,
    spec: { vault: { server: bao.url, path: 'pki/sign/any', auth: { appRole } } },
    ready: { reason: 'VaultVerified', message: 'Vault verified' },
  });
}

async function drainVault(world: World, bao: OpenBao, side: Side): Promise<Figures> {
  const before = await read(bao);
  const figures = await drain(world, side, { count: COUNT, issuer: 'vault' });
  const after = await read(bao);
  return { ...figures, vaultCalls: after.calls - before.calls, vaultCpuMs: after.cpuMs - before.cpuMs };
}

/** Logins are counted apart from other requests; neither counter has health checks or its own reading. */
const COUNTERS = /^vault_core_handle(?:_login)?_request_count (\d+)$/gm;

async function read(bao: OpenBao): Promise<{ readonly calls: number; readonly cpuMs: number }> {
  const text = await bao.readMetrics();
  const calls = [...text.matchAll(COUNTERS)].reduce((sum, [, count]) => sum + Number(count), 0);
  return { calls, cpuMs: processCpuMs(bao.pid) };
}

type Sides = Readonly<Record<Side, readonly Figures[]>>;

function rowsOf(sides: Sides): Measured['rows'] {
  const what = '1 000 approved CSRs, Vault issuer (OpenBao, AppRole)';
  return [
    compare(`throughput, ${what} (certificates/s)`, 'rate', sides, TARGETS.vaultDrain),
    compare('requests to OpenBao per certificate', perCertificate('vaultCalls'), sides, TARGETS.vaultCalls),
    compare('CPU of OpenBao per certificate (ms)', perCertificate('vaultCpuMs'), sides, NO_TARGET),
    compare('CPU per certificate, Vault issuer, start included (ms)', perCertificate('cpuMs'), sides, NO_TARGET),
    compare('resident memory after 1 000 certificates, Vault issuer (MB)', 'residentMB', sides, NO_TARGET),
  ];
}

function costsOf({ ours, theirs }: Sides): readonly Cost[] {
  return [
    costOf('CSR, Vault ClusterIssuer', ours),
    costOf("CSR, Vault ClusterIssuer, cert-manager's controller", theirs),
  ];
}
