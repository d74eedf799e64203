// Answers that many callers share for a second, whatever they are.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedAnswers } from '@countersign/common/runtime/shared-answers.ts';

function setup(ttlMs: number) {
  let now = 0;
  let asked = 0;
  const answers = new SharedAnswers<boolean>(ttlMs, () => now);
  const find = (question: string, answer: () => Promise<boolean> = async () => false) =>
    answers.find(question, () => ((asked += 1), answer()));
  return { answers, find, wait: (ms: number) => void (now += ms), asked: () => asked };
}

test('an answer, yes or no, is shared by all who ask the same question within the time', async () => {
  const { find, wait, asked } = setup(1_000);
  const answers = await Promise.all([find('a'), find('a'), find('b', async () => true)]);
  wait(999);
  answers.push(await find('a'), await find('b'));
  assert.deepEqual([answers, asked()], [[false, false, true, false, true], 2]);
});

test('an answer that is as old as the time is asked for again, and forgotten', async () => {
  const { answers, find, wait, asked } = setup(1_000);
  await find('a');
  await find('b');
  wait(1_000);
  assert.equal(await find('a', async () => true), true);
  assert.deepEqual([asked(), answers.size], [3, 1]);
});

test('a failure is shared by those who wait for it, and by no one later', async () => {
  const { find, asked } = setup(1_000);
  const fail = () => Promise.reject(new Error('down'));
  const results = await Promise.allSettled([find('a', fail), find('a', fail)]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.equal(await find('a', async () => true), true);
  assert.equal(asked(), 2);
});

test('without a time, every question is asked', async () => {
  const { answers, find, asked } = setup(0);
  await Promise.all([find('a'), find('a')]);
  assert.deepEqual([asked(), answers.size], [2, 0]);
});
