// The kinds of requests that the driver knows: how to create one that a signer has to sign, and how to read its outcome.
package main

import (
	"context"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

type kind interface {
	// setUp creates what all requests of this run need.
	setUp(ctx context.Context) error
	// create returns a function that makes the request ready to be signed.
	create(ctx context.Context, name string) (release func() error, err error)
	informer(factory informers.SharedInformerFactory) cache.SharedIndexInformer
	// outcome of an object of the informer.
	outcome(object any) outcome
	// certificatePatch is a status with a certificate that the API server accepts for every request of this run.
	certificatePatch() ([]byte, error)
	certify(ctx context.Context, name string, patch []byte) error
	deleteRequests(ctx context.Context, which meta.ListOptions) error
	// isApproved: a request waits for its approval. Otherwise it can be signed when it is created.
	isApproved() bool
	// events is the number of events that a signer records for one certificate.
	events() int
}

type outcome struct {
	name           string
	issued, failed bool
}

func (c *cluster) kindOf(o options) kind {
	if o.kind == "pod" {
		return &pods{cluster: c, accounts: o.accounts}
	}
	return c
}

// prepare creates o.count requests of the kind, and releases them unless o.hold is set. Returns how to release each.
func prepare(ctx context.Context, c *cluster, k kind, o options) ([]func() error, error) {
	if err := k.setUp(ctx); err != nil {
		return nil, err
	}
	releases := make([]func() error, o.count)
	err := parallel(o, func(i int) error {
		release, err := k.create(ctx, c.nameOf(i))
		if err != nil {
			return err
		}
		releases[i] = release
		if o.hold {
			return nil
		}
		return release()
	})
	return releases, err
}
