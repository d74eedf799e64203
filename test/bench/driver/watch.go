// Records when each CSR of this run gets its certificate.
package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	certificates "k8s.io/api/certificates/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

type watcher struct {
	mu     sync.Mutex
	want   int
	issued map[string]time.Time
	failed map[string]bool
	done   chan struct{}
}

// watch returns once the existing CSRs are listed.
func (c *cluster) watch(ctx context.Context, want int) (*watcher, error) {
	w := &watcher{want: want, issued: map[string]time.Time{}, failed: map[string]bool{}, done: make(chan struct{})}
	factory := informers.NewSharedInformerFactoryWithOptions(c.admin, 0, informers.WithTweakListOptions(func(o *meta.ListOptions) {
		o.LabelSelector = c.selector()
	}))
	informer := factory.Certificates().V1().CertificateSigningRequests().Informer()
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(now any) { w.see(now) },
		UpdateFunc: func(_, now any) { w.see(now) },
	})
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	return w, err
}

func (w *watcher) see(object any) {
	csr, ok := object.(*certificates.CertificateSigningRequest)
	if !ok {
		return
	}
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, old := w.issued[csr.Name]; !old && len(csr.Status.Certificate) > 0 {
		w.issued[csr.Name] = now
		w.checkDone()
	}
	for _, condition := range csr.Status.Conditions {
		if condition.Type == certificates.CertificateFailed && !w.failed[csr.Name] {
			w.failed[csr.Name] = true
			w.checkDone()
		}
	}
}

func (w *watcher) checkDone() {
	if len(w.issued)+len(w.failed) == w.want {
		close(w.done)
	}
}

// check returns an error unless every CSR has its certificate.
func (w *watcher) check() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.issued) == w.want && len(w.failed) == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d CSRs have a certificate, %d have the condition Failed", len(w.issued), w.want, len(w.failed))
}

// moments returns when each CSR got its certificate, by name.
func (w *watcher) moments() map[string]time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.issued)
}

// times returns the same times in order.
func (w *watcher) times() []time.Time {
	return slices.SortedFunc(maps.Values(w.moments()), time.Time.Compare)
}
