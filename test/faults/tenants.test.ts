// One tenant attacks the signer with its own Issuer; another asks for certificates meanwhile.

import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildCertificate, holderOfKey } from '../support/certificate-builder.ts';
import { type Cluster, type KeyPairFiles, secretData, startCluster } from '../support/cluster.ts';
import { quantile, report } from '../support/faults/figures.ts';
import { createAndApprove, forEach, measure, names } from '../support/faults/load.ts';
import { readPki } from '../support/pki.ts';

const SAMPLES = 150;
/** Below it the machine's noise is measured. */
const FLOOR_MS = 25;
const ROOT = { certificate: readPki('certificates/root'), key: readPki('keys/p256-root') };
const VICTIM = 'issuers.cert-manager.io/victim.root';

let cluster: Cluster;
let atRest = Number.NaN;
before(async () => {
  cluster = await startCluster();
  for (const namespace of ['victim', 'attacker']) await cluster.createNamespace(namespace);
  await cluster.createCaIssuer({ namespace: 'victim', name: 'root' }, ROOT);
  await cluster.whenReady({ namespace: 'victim', name: 'root' });
  await measure(cluster, 'warm', VICTIM, 50);
  atRest = quantile(await measure(cluster, 'rest', VICTIM, SAMPLES), 0.99);
});
after(() => cluster?.stop());

async function p99Under(prefix: string, attack: (signal: AbortSignal) => Promise<unknown>): Promise<number> {
  const stop = new AbortController();
  const attacking = attack(stop.signal);
  const took = await measure(cluster, prefix, VICTIM, SAMPLES);
  stop.abort();
  await attacking;
  return quantile(took, 0.99);
}

function figure(p99: number): string {
  return `p99 ${Math.round(p99)} ms, ${Math.round(atRest)} ms at rest`;
}

function isKept(p99: number): boolean {
  return p99 <= 2 * Math.max(atRest, FLOOR_MS);
}

/** As many certificates of one name as a Secret of 95 kB holds, none of which has signed another. */
function tangle(): KeyPairFiles {
  const keys = Array.from({ length: 200 }, () =>
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  );
  const holders = keys.map(key => holderOfKey('one name', key));
  const certificates = holders.map((holder, at) => buildCertificate(holder, holders[(at + 1) % holders.length]));
  return { certificate: certificates.join(''), key: keys[0] ?? '' };
}

test('a Secret with many certificates of one name, rewritten all the time', async t => {
  const pair = tangle();
  const signerName = await cluster.createCaIssuer({ namespace: 'attacker', name: 'tangle' }, pair);
  await forEach(names('tangled', 100), name => createAndApprove(cluster, name, signerName));
  const rewrite = async (signal: AbortSignal) => {
    for (let at = 0; !signal.aborted; at += 1) {
      const stringData = { ...secretData(pair), 'tls.crt': `${'\n'.repeat(at % 7)}${pair.certificate}` };
      const body = { metadata: { annotations: { at: String(at) } }, stringData };
      await cluster.api.patch('/api/v1/namespaces/attacker/secrets/tangle', body);
    }
  };
  const p99 = await p99Under('beside-chain', rewrite);
  report(t, 'tenant-chain', figure(p99), isKept(p99));
});

function createRsaRoot(bits: number): KeyPairFiles {
  const dir = mkdtempSync(join(tmpdir(), 'countersign-rsa-'));
  const [certificate, key] = [join(dir, 'root.crt'), join(dir, 'root.key')];
  try {
    const request = ['req', '-x509', '-newkey', `rsa:${bits}`, '-nodes', '-subj', '/CN=slow', '-days', '30'];
    execFileSync('openssl', [...request, '-keyout', key, '-out', certificate], { stdio: 'pipe' });
    return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

test('many requests for an issuer whose signatures are slow', async t => {
  const signerName = await cluster.createCaIssuer({ namespace: 'attacker', name: 'slow' }, createRsaRoot(8192));
  await cluster.whenReady({ namespace: 'attacker', name: 'slow' });
  const flood = () => forEach(names('slow', 150), name => createAndApprove(cluster, name, signerName));
  const p99 = await p99Under('beside-key', flood);
  report(t, 'tenant-key', figure(p99), isKept(p99));
});
