// How long a request waits for the trust bundle of its issuer: once for each version of a Secret, and never for long.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import { Publications } from '@countersign/signer/trust-bundles/publications.ts';

const REF: SignerRef = { kind: 'Issuer', namespace: 'sandbox', name: 'my-ca' };

function setup(longestWaitMs = 60_000) {
  const publications = new Publications(longestWaitMs);
  const asked: string[] = [];
  const wait = (version: string) => publications.whenSettled(REF, version, () => asked.push(version));
  return { publications, asked, wait };
}

async function isOver(wait: Promise<void> | undefined): Promise<boolean> {
  return Promise.race([(wait ?? Promise.resolve()).then(() => true), sleep(5).then(() => false)]);
}

describe('a request', () => {
  test('a request does not wait for a version that is published', async () => {
    const { publications, asked, wait } = setup();
    publications.settle(REF, '1');
    assert.deepEqual([wait('1'), asked], [undefined, []]);
  });

  test('a request waits for a new version until it is published, and all that wait for it ask for that once', async () => {
    const { publications, asked, wait } = setup();
    publications.settle(REF, '1');
    const waits = [wait('2'), wait('2'), wait('2')];
    assert.deepEqual(await Promise.all(waits.map(isOver)), [false, false, false]);
    publications.settle(REF, '2');
    assert.deepEqual(await Promise.all(waits.map(isOver)), [true, true, true]);
    assert.deepEqual([asked, wait('2')], [['2'], undefined]);
  });

  test('a request goes on after a while, and nothing waits for that version again', async () => {
    const { asked, wait } = setup(1);
    assert.equal(await wait('1'), undefined);
    assert.deepEqual([wait('1'), asked], [undefined, ['1']]);
  });

  test('a request goes on when its issuer proves to have no bundle, and no version of its Secret is waited for then', async () => {
    const { publications, wait } = setup();
    const waiting = wait('1');
    publications.settleNone(REF);
    assert.ok(await isOver(waiting));
    assert.equal(wait('2'), undefined);
  });

  test('a request waits for its version while an older one is published', async () => {
    const { publications, asked, wait } = setup();
    const older = wait('1');
    const newer = wait('2');
    assert.deepEqual([await isOver(older), await isOver(newer)], [true, false]);
    publications.settle(REF, '2');
    assert.deepEqual([await isOver(newer), asked], [true, ['1', '2']]);
  });

  test('a request goes on when no issuer can have a bundle', async () => {
    const { publications, wait } = setup();
    const waiting = wait('1');
    publications.settleAll();
    assert.ok(await isOver(waiting));
  });

  test('a request waits again for an issuer that was deleted and is back', async () => {
    const { publications, wait } = setup();
    publications.settleNone(REF);
    publications.forget(REF);
    const waiting = wait('1');
    assert.equal(await isOver(waiting), false);
    publications.settleAll();
  });
});
