// Creates, approves, certifies and deletes the CSRs of a benchmark through the API, many in parallel.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	certificates "k8s.io/api/certificates/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

const (
	runLabel       = "bench-run"
	eventNamespace = "default"
)

// cluster is the kind of request that needs a cluster and nothing else: the CSR.
type cluster struct {
	admin, creator, kubelet kubernetes.Interface
	signer, run             string
	request                 []byte // PEM, of a CSR
	stub                    []byte // DER, of a pod: a key and nothing else
	key                     *ecdsa.PrivateKey
}

func newCluster(clients clients, signer string) (*cluster, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject:  pkix.Name{CommonName: "bench"},
		DNSNames: []string{"bench.example.com"},
	}, key)
	if err != nil {
		return nil, err
	}
	stub, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return nil, err
	}
	return &cluster{
		admin: clients.admin, creator: clients.creator, kubelet: clients.kubelet, signer: signer,
		run:     fmt.Sprintf("bench-%d", time.Now().UnixNano()),
		request: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}),
		stub:    stub, key: key,
	}, nil
}

func (c *cluster) selector() string { return runLabel + "=" + c.run }

func (c *cluster) nameOf(i int) string { return fmt.Sprintf("%s-%05d", c.run, i) }

func (c *cluster) setUp(context.Context) error { return nil }

// create releases by approving.
func (c *cluster) create(ctx context.Context, name string) (func() error, error) {
	csr, err := c.createCSR(ctx, name)
	return func() error { return c.approve(ctx, csr) }, err
}

func (c *cluster) createCSR(ctx context.Context, name string) (*certificates.CertificateSigningRequest, error) {
	return c.creator.CertificatesV1().CertificateSigningRequests().Create(ctx, &certificates.CertificateSigningRequest{
		ObjectMeta: meta.ObjectMeta{Name: name, Labels: map[string]string{runLabel: c.run}},
		Spec: certificates.CertificateSigningRequestSpec{
			Request:    c.request,
			SignerName: c.signer,
			Usages:     []certificates.KeyUsage{certificates.UsageDigitalSignature, certificates.UsageKeyEncipherment, certificates.UsageServerAuth},
		},
	}, meta.CreateOptions{})
}

func (c *cluster) approve(ctx context.Context, csr *certificates.CertificateSigningRequest) error {
	csr.Status.Conditions = []certificates.CertificateSigningRequestCondition{
		{Type: certificates.CertificateApproved, Status: core.ConditionTrue, Reason: "Bench", Message: "approved by the benchmark"},
	}
	_, err := c.admin.CertificatesV1().CertificateSigningRequests().UpdateApproval(ctx, csr.Name, csr, meta.UpdateOptions{})
	return err
}

func (c *cluster) informer(factory informers.SharedInformerFactory) cache.SharedIndexInformer {
	return factory.Certificates().V1().CertificateSigningRequests().Informer()
}

func (c *cluster) outcome(object any) outcome {
	csr, ok := object.(*certificates.CertificateSigningRequest)
	if !ok {
		return outcome{}
	}
	found := outcome{name: csr.Name, issued: len(csr.Status.Certificate) > 0}
	for _, condition := range csr.Status.Conditions {
		found.failed = found.failed || condition.Type == certificates.CertificateFailed
	}
	return found
}

func (c *cluster) isApproved() bool { return true }

func (c *cluster) events() int { return 1 }

// cleanUp deletes the requests of this run and all events, so that every run starts with the same number of events.
func (c *cluster) cleanUp(ctx context.Context, k kind, keep bool) error {
	if !keep {
		if err := k.deleteRequests(ctx, meta.ListOptions{LabelSelector: c.selector()}); err != nil {
			return err
		}
	}
	return insist(func() error {
		return c.admin.CoreV1().Events(eventNamespace).DeleteCollection(ctx, meta.DeleteOptions{}, meta.ListOptions{})
	})
}

// clear deletes every CSR in the cluster.
func (c *cluster) clear(ctx context.Context) error { return c.deleteRequests(ctx, meta.ListOptions{}) }

func (c *cluster) deleteRequests(ctx context.Context, which meta.ListOptions) error {
	return insist(func() error {
		return c.admin.CertificatesV1().CertificateSigningRequests().DeleteCollection(ctx, meta.DeleteOptions{}, which)
	})
}

// insist repeats a call that the API server times out after a minute, as it does when deleting tens of thousands of
// objects.
func insist(delete func() error) error {
	var err error
	for range 10 {
		if err = delete(); err == nil {
			return nil
		}
	}
	return err
}

func (c *cluster) countEvents(ctx context.Context) (int, error) {
	list, err := c.admin.CoreV1().Events(eventNamespace).List(ctx, meta.ListOptions{Limit: 1})
	if err != nil {
		return 0, err
	}
	count := len(list.Items)
	if list.RemainingItemCount != nil {
		count += int(*list.RemainingItemCount)
	}
	return count, nil
}

// parallel calls f for 0 to o.count-1 with o.parallel concurrent calls. It stops at the first error.
func parallel(o options, f func(i int) error) error {
	var next, failed atomic.Int64
	var once sync.Once
	var wg sync.WaitGroup
	var first error
	for range o.parallel {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < o.count && failed.Load() == 0; i = int(next.Add(1)) - 1 {
				if err := f(i); err != nil {
					failed.Add(1)
					once.Do(func() { first = err })
				}
			}
		})
	}
	wg.Wait()
	return first
}
