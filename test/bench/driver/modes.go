// The modes: each prepares, measures, and cleans up.
package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"sort"
	"time"

	certificates "k8s.io/api/certificates/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

type drained struct {
	Issued  int     `json:"issued"`
	FirstMS float64 `json:"firstMs"` // from the start of the process
	AllMS   float64 `json:"allMs"`
	Rate    float64 `json:"rate"` // certificates per second, from the first to the last
	Events  int     `json:"events"`
	EventMS float64 `json:"eventMs"` // from the start of the process to the last event
	usage
}

// drain starts a signer with o.count approved CSRs waiting, and waits for all certificates and events. A CSR without a
// certificate is an error.
func drain(ctx context.Context, c *cluster, o options) (*drained, error) {
	if _, err := c.prepare(ctx, o); err != nil {
		return nil, err
	}
	w, err := c.watch(ctx, o.count)
	if err != nil {
		return nil, err
	}
	p, err := start(o.command, o.log)
	if err != nil {
		return nil, err
	}
	r := &drained{}
	select {
	case <-w.done:
	case <-p.ended:
	case <-time.After(o.patience):
	}
	if err := w.check(); err != nil {
		return nil, err
	}
	if r.Events, err = c.awaitEvents(ctx, o.count); err != nil {
		return nil, err
	}
	r.EventMS = ms(time.Since(p.started))
	if r.usage, err = p.stop(); err != nil {
		return nil, err
	}
	times := w.times()
	r.Issued = len(times)
	first, last := times[0], times[r.Issued-1]
	r.FirstMS, r.AllMS = ms(first.Sub(p.started)), ms(last.Sub(p.started))
	r.Rate = float64(r.Issued-1) / max(last.Sub(first).Seconds(), 1e-9)
	return r, c.cleanUp(ctx, o.keep)
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

type floorRates struct {
	StatusRate float64 `json:"statusRate"`
	EventRate  float64 `json:"eventRate"`
}

// floor only writes statuses and events: the upper bound that the API server allows.
func floor(ctx context.Context, c *cluster, o options) (*floorRates, error) {
	made, err := c.prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	// The same watch as in a drain, because serving it is part of the API server's work.
	w, err := c.watch(ctx, o.count)
	if err != nil {
		return nil, err
	}
	patch, err := certificatePatch()
	if err != nil {
		return nil, err
	}
	r := &floorRates{}
	if r.StatusRate, err = rateOf(o, func(i int) error { return c.certify(ctx, made[i].Name, patch) }); err != nil {
		return nil, err
	}
	<-w.done
	r.EventRate, err = rateOf(o, func(i int) error {
		_, err := c.admin.CoreV1().Events(eventNamespace).Create(ctx, &core.Event{
			ObjectMeta:     meta.ObjectMeta{Name: made[i].Name},
			InvolvedObject: core.ObjectReference{APIVersion: "certificates.k8s.io/v1", Kind: "CertificateSigningRequest", Name: made[i].Name, UID: made[i].UID},
			Type:           "Normal", Reason: "Bench", Message: "written by the benchmark", Source: core.EventSource{Component: "bench"},
			FirstTimestamp: meta.Now(), LastTimestamp: meta.Now(), Count: 1,
		}, meta.CreateOptions{})
		return err
	})
	if err != nil {
		return nil, err
	}
	return r, c.cleanUp(ctx, o.keep)
}

func (c *cluster) certify(ctx context.Context, name string, patch []byte) error {
	_, err := c.admin.CertificatesV1().CertificateSigningRequests().Patch(ctx, name, types.MergePatchType, patch, meta.PatchOptions{}, "status")
	return err
}

func certificatePatch() ([]byte, error) {
	authority, err := newAuthority("ec")
	if err != nil {
		return nil, err
	}
	text := base64.StdEncoding.EncodeToString([]byte(authority.Certificate))
	return fmt.Appendf(nil, `{"status":{"certificate":%q}}`, text), nil
}

type latencies struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	usage
}

// latency approves one CSR after the other while the signer is running.
func latency(ctx context.Context, c *cluster, o options) (*latencies, error) {
	w, err := c.watch(ctx, o.count+1)
	if err != nil {
		return nil, err
	}
	p, err := start(o.command, o.log)
	if err != nil {
		return nil, err
	}
	approved := map[string]time.Time{}
	approve := func(name string) error {
		csr, err := c.create(ctx, name)
		if err == nil {
			approved[name] = time.Now()
			err = c.approve(ctx, csr)
		}
		return err
	}
	// The first CSR shows that the signer is up, and warms it up.
	if err := approve(c.run + "-first"); err != nil {
		return nil, err
	}
	for len(w.moments()) == 0 {
		if time.Since(p.started) > o.patience {
			return nil, w.check()
		}
		time.Sleep(20 * time.Millisecond)
	}
	tick := time.NewTicker(time.Duration(float64(time.Second) / o.rate))
	for i := range o.count {
		<-tick.C
		if err := approve(fmt.Sprintf("%s-%05d", c.run, i)); err != nil {
			return nil, err
		}
	}
	select {
	case <-w.done:
	case <-p.ended:
	case <-time.After(o.patience):
	}
	if err := w.check(); err != nil {
		return nil, err
	}
	var times []float64
	for name, at := range w.moments() {
		if name != c.run+"-first" {
			times = append(times, ms(at.Sub(approved[name])))
		}
	}
	r := &latencies{P50: percentile(times, 0.5), P99: percentile(times, 0.99)}
	if r.usage, err = p.stop(); err != nil {
		return nil, err
	}
	return r, c.cleanUp(ctx, o.keep)
}

// instant signs nothing: until it is stopped, it writes the same certificate to each approved CSR of the signer. It
// measures the API server's share of the latency from approval to certificate.
func instant(ctx context.Context, c *cluster, o options) (any, error) {
	patch, err := certificatePatch()
	if err != nil {
		return nil, err
	}
	watch, err := c.admin.CertificatesV1().CertificateSigningRequests().Watch(ctx, meta.ListOptions{FieldSelector: "spec.signerName=" + o.signer})
	if err != nil {
		return nil, err
	}
	for event := range watch.ResultChan() {
		csr, ok := event.Object.(*certificates.CertificateSigningRequest)
		if ok && len(csr.Status.Conditions) > 0 && len(csr.Status.Certificate) == 0 {
			go func() {
				if err := c.certify(ctx, csr.Name, patch); err != nil {
					fmt.Fprintln(os.Stderr, err)
				}
			}()
		}
	}
	return struct{}{}, nil
}

type created struct {
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	Rate float64 `json:"rate"`
}

// create creates o.count CSRs one by one, then the same number with o.parallel in flight.
func create(ctx context.Context, c *cluster, o options) (*created, error) {
	var times []float64
	for i := range o.count {
		before := time.Now()
		if _, err := c.create(ctx, fmt.Sprintf("%s-a%05d", c.run, i)); err != nil {
			return nil, err
		}
		times = append(times, ms(time.Since(before)))
	}
	rate, err := rateOf(o, func(i int) error {
		_, err := c.create(ctx, fmt.Sprintf("%s-b%05d", c.run, i))
		return err
	})
	if err != nil {
		return nil, err
	}
	return &created{P50: percentile(times, 0.5), P99: percentile(times, 0.99), Rate: rate}, c.cleanUp(ctx, o.keep)
}

// fill creates CSRs that are approved and issued, and keeps them.
func fill(ctx context.Context, c *cluster, o options) (any, error) {
	patch, err := certificatePatch()
	if err != nil {
		return nil, err
	}
	rate, err := rateOf(o, func(i int) error {
		csr, err := c.create(ctx, fmt.Sprintf("%s-%05d", c.run, i))
		if err == nil {
			err = c.approve(ctx, csr)
		}
		if err == nil {
			err = c.certify(ctx, csr.Name, patch)
		}
		return err
	})
	return map[string]float64{"rate": rate}, err
}

func rateOf(o options, f func(i int) error) (float64, error) {
	before := time.Now()
	err := parallel(o, f)
	return float64(o.count) / time.Since(before).Seconds(), err
}

func percentile(values []float64, p float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sort.Float64s(values)
	return values[min(len(values)-1, int(p*float64(len(values))))]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
