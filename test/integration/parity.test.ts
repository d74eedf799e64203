// Countersign beside cert-manager's real CSR controllers for Vault, ACME and Venafi issuers: the same requests have the
// same outcome on both sides, except for the differences in one table. Then both sign at once, and the signer notices.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import type { Outcome } from '../support/issuers/parity-outcome.ts';
import { type ParityCase, ParityWorld, type Side, TENANT } from '../support/issuers/parity-world.ts';
import {
  approve,
  type CsrObject,
  createCsr,
  createThenApprove,
  waitUntilFailed,
  waitUntilIssued,
} from '../support/requests.ts';
import { ACME_CASES, createIssuers, DOMAINS, VAULT_CASES, VENAFI_CASES } from './parity-cases.ts';
import { DIFFERENCES } from './parity-differences.ts';

const CASES = [...VAULT_CASES, ...ACME_CASES, ...VENAFI_CASES];
const NOTICED = 'another signer serves an issuer';
/** Much longer than the interval at which the signer looks. */
const NOTICED_MS = 10_000;
/** The signer may not be the leader yet. */
const ATTEMPTS = 5;

let parity: ParityWorld;
const outcomes: Partial<Record<Side, ReadonlyMap<string, Outcome>>> = {};
/** How often the signer noticed another one while there was none. */
let falseAlarms: number;
before(async () => {
  parity = await ParityWorld.start(DOMAINS);
  await createIssuers(parity);
  await parity.startSigner();
  outcomes.countersign = await parity.run('countersign', CASES);
  falseAlarms = (await countForeign()) + (await logged()).length;
  await parity.handOver();
  outcomes.certManager = await parity.run('certManager', CASES);
});
after(() => parity?.stop());

function outcomeOf(side: Side, name: string): Outcome {
  return outcomes[side]?.get(name) ?? assert.fail(`${side}: the CSR for ${name} has no outcome within a minute`);
}

function compare({ name }: ParityCase): void {
  const [ours, theirs] = [outcomeOf('countersign', name), outcomeOf('certManager', name)];
  const difference = DIFFERENCES[name];
  if (difference === undefined) {
    assert.deepEqual(ours, theirs);
    return;
  }
  assert.notDeepEqual(ours, theirs, 'they are equal: remove the case from the table');
  assert.deepEqual(ours, { ...ours, ...difference.countersign });
  assert.deepEqual(theirs, { ...theirs, ...difference.certManager });
  // What is not listed is equal.
  if (difference.countersign.result === undefined) assert.equal(ours.result, theirs.result);
}

for (const [type, cases] of Object.entries({ Vault: VAULT_CASES, ACME: ACME_CASES, Venafi: VENAFI_CASES })) {
  describe(`a CSR for ${type}`, () => {
    for (const each of cases) {
      const isListed = DIFFERENCES[each.name] !== undefined;
      test(`${each.name} has ${isListed ? 'a listed difference' : 'the same outcome, event and certificate'}`, () =>
        compare(each));
    }
  });
}

test('every listed difference belongs to a case and is described in docs/differences.md', async () => {
  const page = await readFile(new URL('../../docs/differences.md', import.meta.url), 'utf8');
  const missing = Object.entries(DIFFERENCES).filter(
    ([name, { row }]) => !CASES.some(each => each.name === name) || !page.includes(`\n| ${row} |`),
  );
  assert.deepEqual(missing, []);
});

async function metrics(): Promise<string> {
  const [signer] = parity.cluster.installation.running('signer');
  return (await fetch(`${signer?.url}/metrics`)).text();
}

/** How many requests the signer counted that were not its own. */
async function countForeign(): Promise<number> {
  const counts = (await metrics()).matchAll(/^countersign_foreign_completions_total\{.*\} (\d+)$/gm);
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Acts until the signer has counted one more request; returns how often it acted. */
async function actUntilCounted(act: (attempt: number) => Promise<void>): Promise<number> {
  const counted = await countForeign();
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    await act(attempt);
    const isCounted = async () => ((await countForeign()) > counted ? true : undefined);
    if (await parity.cluster.eventually('it is counted', isCounted, NOTICED_MS).catch(() => false)) return attempt;
  }
  return assert.fail(`the signer noticed nothing\n${parity.cluster.logTails()}`);
}

async function logged(): Promise<readonly string[]> {
  const [signer] = parity.cluster.installation.running('signer');
  const lines = (await readFile(signer?.child.logPath ?? '', 'utf8')).split('\n');
  return lines.filter(line => line.includes(`"msg":"${NOTICED}"`));
}

describe('with both signers', { concurrency: false }, () => {
  test('a signer that has none beside it notices none', () => assert.equal(falseAlarms, 0));

  test('the signer counts what cert-manager fails, not what it failed before, and says so once', async () => {
    const { cluster } = parity;
    await parity.startSigner();
    const signerName = `issuers.cert-manager.io/${TENANT}.vault-no-secret`;
    const csrs: CsrObject[] = [];
    const attempts = await actUntilCounted(async attempt => {
      csrs.push(await createThenApprove(cluster, { name: `both-${attempt}`, signerName }));
      await waitUntilFailed(cluster, `both-${attempt}`);
    });
    assert.ok((await countForeign()) <= attempts);
    const event = await cluster.eventually('a CSR has the event', async () => {
      const events = await Promise.all(csrs.map(csr => cluster.eventsOf(csr, 1)));
      return events.flat().find(text => text.includes('AnotherSigner'));
    });
    assert.match(
      event,
      /^Warning AnotherSigner: The CSR was failed by another signer, although Countersign signs for /,
    );
    assert.equal((await logged()).length, 1);
  });

  test('the signer counts what cert-manager issues while it cannot, and logs nothing more', async () => {
    const { cluster } = parity;
    const [signer] = cluster.installation.running('signer');
    const pid = signer?.child.pid ?? assert.fail('no signer is running');
    await actUntilCounted(async attempt => {
      const name = `both-issued-${attempt}`;
      await createCsr(cluster, { name, signerName: `issuers.cert-manager.io/${TENANT}.vault` });
      process.kill(pid, 'SIGSTOP');
      try {
        await approve(cluster, name);
        await waitUntilIssued(cluster, name);
      } finally {
        process.kill(pid, 'SIGCONT');
      }
    });
    assert.equal((await logged()).length, 1);
  });
});
