// Records when each request of this run gets its certificate.
package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

type watcher struct {
	kind   kind
	mu     sync.Mutex
	want   int
	issued map[string]time.Time
	failed map[string]bool
	done   chan struct{}
}

// watch returns once the existing requests are listed.
func (c *cluster) watch(ctx context.Context, k kind, want int) (*watcher, error) {
	w := &watcher{kind: k, want: want, issued: map[string]time.Time{}, failed: map[string]bool{}, done: make(chan struct{})}
	factory := informers.NewSharedInformerFactoryWithOptions(c.admin, 0, informers.WithTweakListOptions(func(o *meta.ListOptions) {
		o.LabelSelector = c.selector()
	}))
	informer := k.informer(factory)
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(now any) { w.see(now) },
		UpdateFunc: func(_, now any) { w.see(now) },
	})
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	return w, err
}

func (w *watcher) see(object any) {
	found, now := w.kind.outcome(object), time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, old := w.issued[found.name]; !old && found.issued {
		w.issued[found.name] = now
		w.checkDone()
	}
	if found.failed && !w.failed[found.name] {
		w.failed[found.name] = true
		w.checkDone()
	}
}

func (w *watcher) checkDone() {
	if len(w.issued)+len(w.failed) == w.want {
		close(w.done)
	}
}

func (w *watcher) isDone() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

// wait returns when all have their outcome, the signer has exited, or patience is at its end.
func (w *watcher) wait(p *process, o options) {
	select {
	case <-w.done:
	case <-p.ended:
	case <-time.After(o.patience):
	}
}

// check returns an error unless every request has its certificate.
func (w *watcher) check() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.issued) == w.want && len(w.failed) == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d requests have a certificate, %d failed or were denied", len(w.issued), w.want, len(w.failed))
}

// moments returns when each request got its certificate, by name.
func (w *watcher) moments() map[string]time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.issued)
}

// times returns the same times in order.
func (w *watcher) times() []time.Time {
	return slices.SortedFunc(maps.Values(w.moments()), time.Time.Compare)
}
