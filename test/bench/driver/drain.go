// The mode drain: requests that wait for a signer, and all of their certificates.
package main

import (
	"context"
	"time"
)

type drained struct {
	Issued  int     `json:"issued"`
	FirstMS float64 `json:"firstMs"` // from the start of the process
	AllMS   float64 `json:"allMs"`
	Rate    float64 `json:"rate"` // certificates per second, from the first to the last
	Events  int     `json:"events"`
	EventMS float64 `json:"eventMs"` // from the start of the process to the last event
	calls           // from the start of the process to the last event
	usage
	BesideCPU float64 `json:"besideCpuMs"`
	BesideMB  float64 `json:"besideMB"`
}

// drain starts a signer with o.count requests waiting, and waits for all certificates and events. A request without a
// certificate is an error. With o.hold, the requests wait for their approval: by o.beside, or else by the driver.
func drain(ctx context.Context, c *cluster, o options) (*drained, error) {
	k := c.kindOf(o)
	releases, err := prepare(ctx, c, k, o)
	if err != nil {
		return nil, err
	}
	w, err := c.watch(ctx, k, o.count)
	if err != nil {
		return nil, err
	}
	r := &drained{}
	before, err := c.calls(ctx)
	if err != nil {
		return nil, err
	}
	beside, err := startBeside(o)
	if err != nil {
		return nil, err
	}
	p, err := start(o.command, o.log)
	if err != nil {
		return nil, err
	}
	if o.hold && beside == nil {
		go func() { _ = parallel(o, func(i int) error { return releases[i]() }) }()
	}
	w.wait(p, o)
	if err := w.check(); err != nil {
		return nil, err
	}
	perCertificate := k.events()
	if beside != nil {
		perCertificate++ // of the approval
	}
	if r.Events, err = c.awaitEvents(ctx, o.count*perCertificate); err != nil {
		return nil, err
	}
	r.EventMS = ms(time.Since(p.started))
	now, err := c.calls(ctx)
	if err != nil {
		return nil, err
	}
	r.calls = now.since(before)
	if r.usage, err = p.stop(); err != nil {
		return nil, err
	}
	if beside != nil {
		used, err := beside.stop()
		if err != nil {
			return nil, err
		}
		r.BesideCPU, r.BesideMB = used.CPUMilliseconds, used.ResidentMB
	}
	times := w.times()
	r.Issued = len(times)
	first, last := times[0], times[r.Issued-1]
	r.FirstMS, r.AllMS = ms(first.Sub(p.started)), ms(last.Sub(p.started))
	r.Rate = float64(r.Issued-1) / max(last.Sub(first).Seconds(), 1e-9)
	return r, c.cleanUp(ctx, k, o.keep)
}

// startBeside starts the second process, if there is one.
func startBeside(o options) (*process, error) {
	if o.beside == "" {
		return nil, nil
	}
	return start(o.beside, o.log+".beside")
}

// awaitEvents returns when there are as many events as certificates, or no new ones for three seconds.
func (c *cluster) awaitEvents(ctx context.Context, want int) (int, error) {
	seen, since := -1, time.Now()
	for {
		count, err := c.countEvents(ctx)
		if err != nil || count >= want {
			return count, err
		}
		if count != seen {
			seen, since = count, time.Now()
		}
		if time.Since(since) > 3*time.Second {
			return count, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
}
