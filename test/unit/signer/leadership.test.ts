import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Term } from '@countersign/common/runtime/controller/leadership.ts';

/** A term of ten seconds with clocks that the test controls. */
function begin(stop = new AbortController().signal) {
  const time = { monotonic: 0, wall: 1_000_000 };
  const term = new Term(10_000, stop, { monotonic: () => time.monotonic, wall: () => time.wall });
  return { time, term };
}

for (const clock of ['monotonic', 'wall'] as const) {
  it(`a term ends when it expires by the ${clock} clock alone`, () => {
    const { time, term } = begin();
    time[clock] += 9_999;
    assert.equal(term.mayWrite(), true);
    time[clock] += 1;
    assert.deepEqual([term.mayWrite(), term.signal.aborted], [false, true]);
  });
}

it('a renewal counts from when it was sent and does not revive an expired term', () => {
  const { time, term } = begin();
  const sentAt = term.now();
  time.monotonic += 4_000;
  term.renewedAt(sentAt);
  assert.equal(term.left, 6_000);
  const later = term.now();
  term.renewedAt(later);
  assert.equal(term.left, 10_000);
  time.monotonic += 20_000;
  term.renewedAt(term.now());
  assert.deepEqual([term.mayWrite(), term.left], [false, 0]);
});

it('a term ends with the process', () => {
  const stop = new AbortController();
  const { term } = begin(stop.signal);
  stop.abort();
  assert.equal(term.mayWrite(), false);
});
