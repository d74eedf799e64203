// The mode latency, and what the mode storm shares with it: a stream of requests at a fixed rate, and how long each
// waits for its certificate.
package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

type latencies struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	usage
}

// latency releases one request after the other while the signer is running.
func latency(ctx context.Context, c *cluster, o options) (*latencies, error) {
	k := c.kindOf(o)
	if err := k.setUp(ctx); err != nil {
		return nil, err
	}
	s, err := c.newStream(ctx, k)
	if err != nil {
		return nil, err
	}
	p, err := start(o.command, o.log)
	if err != nil {
		return nil, err
	}
	// The first request shows that the signer is up, and warms it up.
	s.signer = p
	if err := s.first(ctx, o); err != nil {
		return nil, err
	}
	times, err := s.run(ctx, o, "a", s.after(o.count))
	if err != nil {
		return nil, err
	}
	r := &latencies{P50: percentile(times, 0.5), P99: percentile(times, 0.99)}
	if r.usage, err = p.stop(); err != nil {
		return nil, err
	}
	return r, c.cleanUp(ctx, k, o.keep)
}

// stream of requests of one kind.
type stream struct {
	c        *cluster
	kind     kind
	w        *watcher
	signer   *process
	mu       sync.Mutex
	released map[string]time.Time
	failure  error
}

func (c *cluster) newStream(ctx context.Context, k kind) (*stream, error) {
	w, err := c.watch(ctx, k, -1)
	return &stream{c: c, kind: k, w: w, released: map[string]time.Time{}}, err
}

func (s *stream) first(ctx context.Context, o options) error {
	s.one(ctx, s.c.run+"-first")
	_, err := s.await([]string{s.c.run + "-first"}, o)
	return err
}

// after returns a condition that ends a run after `count` requests.
func (s *stream) after(count int) func(sent int) bool {
	return func(sent int) bool { return sent >= count }
}

// run sends requests at the rate until it is enough, whether or not the earlier ones are answered, and returns the
// milliseconds from the release of each to its certificate.
func (s *stream) run(ctx context.Context, o options, series string, enough func(sent int) bool) ([]float64, error) {
	tick := time.NewTicker(time.Duration(float64(time.Second) / o.rate))
	defer tick.Stop()
	var wg sync.WaitGroup
	var names []string
	for !enough(len(names)) {
		<-tick.C
		name := fmt.Sprintf("%s-%s%05d", s.c.run, series, len(names))
		names = append(names, name)
		wg.Go(func() { s.one(ctx, name) })
	}
	wg.Wait()
	return s.await(names, o)
}

// one creates a request; its latency begins when it is released, which creation does for a kind without approval.
func (s *stream) one(ctx context.Context, name string) {
	before := time.Now()
	release, err := s.kind.create(ctx, name)
	if err == nil {
		if s.kind.isApproved() {
			before = time.Now()
		}
		s.note(name, before)
		err = release()
	}
	if err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.failure = err
	}
}

func (s *stream) note(name string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.released[name] = at
}

func (s *stream) await(names []string, o options) ([]float64, error) {
	for deadline := time.Now().Add(o.patience); ; time.Sleep(20 * time.Millisecond) {
		s.mu.Lock()
		failure := s.failure
		s.mu.Unlock()
		if failure != nil {
			return nil, failure
		}
		moments := s.w.moments()
		var times []float64
		for _, name := range names {
			if at, ok := moments[name]; ok {
				times = append(times, ms(at.Sub(s.released[name])))
			}
		}
		if len(times) == len(names) {
			return times, nil
		}
		if s.signer.hasEnded() {
			return nil, fmt.Errorf("the signer exited early")
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("%d of %d requests have a certificate", len(times), len(names))
		}
	}
}
