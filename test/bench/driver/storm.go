// The mode storm: a rollout of many pods, while CSRs arrive at a fixed rate. Measures the rollout, the access reviews,
// and what the CSRs notice.
package main

import (
	"context"
	"time"
)

type stormed struct {
	CreateMS float64 `json:"createMs"` // until the last pod has its request
	AllMS    float64 `json:"allMs"`    // until the last pod has its certificate
	Rate     float64 `json:"rate"`     // certificates of pods per second
	Reviews  float64 `json:"reviews"`
	PerPair  float64 `json:"reviewsPerPair"` // for each ServiceAccount and second begun
	P50      float64 `json:"p50"`            // of the CSRs, meanwhile
	P99      float64 `json:"p99"`
	RestP50  float64 `json:"restP50"` // of the CSRs, afterwards
	RestP99  float64 `json:"restP99"`
	usage
}

type rollout struct {
	*cluster
	pods *pods
	w    *watcher
	csrs *stream
	r    stormed
}

// storm creates o.count requests of pods before the signer starts, or with o.live while it is running.
func storm(ctx context.Context, c *cluster, o options) (*stormed, error) {
	s, err := c.prepareStorm(ctx, o)
	if err != nil {
		return nil, err
	}
	before, err := c.calls(ctx)
	if err != nil {
		return nil, err
	}
	p, err := start(o.command, o.log)
	if err != nil {
		return nil, err
	}
	s.csrs.signer = p
	if err := s.csrs.first(ctx, o); err != nil {
		return nil, err
	}
	if err := s.measure(ctx, o, p.started); err != nil {
		return nil, err
	}
	if err := s.count(ctx, o, before); err != nil {
		return nil, err
	}
	atRest, err := s.csrs.run(ctx, o, "rest", s.csrs.after(int(10*o.rate)))
	if err != nil {
		return nil, err
	}
	s.r.RestP50, s.r.RestP99 = percentile(atRest, 0.5), percentile(atRest, 0.99)
	if s.r.usage, err = p.stop(); err != nil {
		return nil, err
	}
	return &s.r, s.cleanUpAll(ctx, o)
}

func (c *cluster) prepareStorm(ctx context.Context, o options) (*rollout, error) {
	// In a run of its own, so that each watch sees one kind only.
	other, err := newCluster(clients{c.admin, c.creator, c.kubelet}, o.csrSigner)
	if err != nil {
		return nil, err
	}
	s := &rollout{cluster: c, pods: &pods{cluster: c, accounts: o.accounts}}
	if o.live {
		err = s.pods.setUp(ctx)
	} else {
		_, err = prepare(ctx, c, s.pods, o)
	}
	if err != nil {
		return nil, err
	}
	if s.w, err = c.watch(ctx, s.pods, o.count); err != nil {
		return nil, err
	}
	s.csrs, err = other.newStream(ctx, other)
	return s, err
}

// measure sends CSRs until all pods have their certificates.
func (s *rollout) measure(ctx context.Context, o options, begun time.Time) error {
	created := make(chan error, 1)
	if o.live {
		begun = time.Now()
		go func() {
			err := parallel(o, func(i int) error { _, err := s.pods.create(ctx, s.nameOf(i)); return err })
			s.r.CreateMS = ms(time.Since(begun))
			created <- err
		}()
	} else {
		created <- nil
	}
	times, err := s.csrs.run(ctx, o, "storm", func(int) bool { return s.w.isDone() || time.Since(begun) > o.patience })
	if err != nil {
		return err
	}
	if err := <-created; err != nil {
		return err
	}
	if err := s.w.check(); err != nil {
		return err
	}
	moments := s.w.times()
	first, last := moments[0], moments[len(moments)-1]
	s.r.AllMS = ms(last.Sub(begun))
	s.r.Rate = float64(len(moments)-1) / max(last.Sub(first).Seconds(), 1e-9)
	s.r.P50, s.r.P99 = percentile(times, 0.5), percentile(times, 0.99)
	return nil
}

// count reads how many access reviews there were since the signer started. CSRs of a ClusterIssuer need none.
func (s *rollout) count(ctx context.Context, o options, before calls) error {
	now, err := s.calls(ctx)
	s.r.Reviews = now.since(before).Reviews
	s.r.PerPair = s.r.Reviews / float64(o.accounts) / float64(int(s.r.AllMS/1000)+1)
	return err
}

func (s *rollout) cleanUpAll(ctx context.Context, o options) error {
	if err := s.cleanUp(ctx, s.pods, o.keep); err != nil {
		return err
	}
	return s.csrs.c.cleanUp(ctx, s.csrs.c, o.keep)
}
