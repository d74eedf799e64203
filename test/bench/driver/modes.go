// The modes without a signer: bare writes, and the cost of creation. Each prepares, measures, and cleans up.
package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"sort"
	"time"

	certificates "k8s.io/api/certificates/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

type floorRates struct {
	StatusRate float64 `json:"statusRate"`
}

// floor only writes statuses: the upper bound that the API server allows.
func floor(ctx context.Context, c *cluster, o options) (*floorRates, error) {
	k := c.kindOf(o)
	if _, err := prepare(ctx, c, k, o); err != nil {
		return nil, err
	}
	// The same watch as in a drain, because serving it is part of the API server's work.
	w, err := c.watch(ctx, k, o.count)
	if err != nil {
		return nil, err
	}
	patch, err := k.certificatePatch()
	if err != nil {
		return nil, err
	}
	r := &floorRates{}
	if r.StatusRate, err = rateOf(o, func(i int) error { return k.certify(ctx, c.nameOf(i), patch) }); err != nil {
		return nil, err
	}
	<-w.done
	return r, c.cleanUp(ctx, k, o.keep)
}

func (c *cluster) certify(ctx context.Context, name string, patch []byte) error {
	_, err := c.admin.CertificatesV1().CertificateSigningRequests().Patch(ctx, name, types.MergePatchType, patch, meta.PatchOptions{}, "status")
	return err
}

func (c *cluster) certificatePatch() ([]byte, error) {
	authority, err := newAuthority("ec")
	if err != nil {
		return nil, err
	}
	text := base64.StdEncoding.EncodeToString([]byte(authority.Certificate))
	return fmt.Appendf(nil, `{"status":{"certificate":%q}}`, text), nil
}

// instant signs nothing: until it is stopped, it writes the same certificate to each approved CSR of the signer. It
// measures the API server's share of the latency from approval to certificate.
func instant(ctx context.Context, c *cluster, o options) (any, error) {
	patch, err := c.certificatePatch()
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
		if _, err := c.createCSR(ctx, fmt.Sprintf("%s-a%05d", c.run, i)); err != nil {
			return nil, err
		}
		times = append(times, ms(time.Since(before)))
	}
	rate, err := rateOf(o, func(i int) error {
		_, err := c.createCSR(ctx, fmt.Sprintf("%s-b%05d", c.run, i))
		return err
	})
	if err != nil {
		return nil, err
	}
	return &created{P50: percentile(times, 0.5), P99: percentile(times, 0.99), Rate: rate}, c.cleanUp(ctx, c, o.keep)
}

// fill creates CSRs that are approved and issued, and keeps them.
func fill(ctx context.Context, c *cluster, o options) (any, error) {
	patch, err := c.certificatePatch()
	if err != nil {
		return nil, err
	}
	rate, err := rateOf(o, func(i int) error {
		csr, err := c.createCSR(ctx, c.nameOf(i))
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
