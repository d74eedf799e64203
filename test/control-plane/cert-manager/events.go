package main

import (
	"sync/atomic"

	"github.com/cert-manager/cert-manager/pkg/api/util"
	"github.com/cert-manager/cert-manager/pkg/controller"
	"github.com/cert-manager/cert-manager/pkg/controller/certificatesigningrequests"
	csrca "github.com/cert-manager/cert-manager/pkg/controller/certificatesigningrequests/ca"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
)

// shards are event recorders that take turns. Each drops events while 1 000 wait to be written: with enough of them, all
// events are written, as far as a benchmark goes.
type shards struct {
	recorders []record.EventRecorder
	turn      atomic.Uint32
}

func (s *shards) next() record.EventRecorder {
	return s.recorders[int(s.turn.Add(1))%len(s.recorders)]
}

func (s *shards) Event(object runtime.Object, kind, reason, message string) {
	s.next().Event(object, kind, reason, message)
}

func (s *shards) Eventf(object runtime.Object, kind, reason, format string, args ...any) {
	s.next().Eventf(object, kind, reason, format, args...)
}

func (s *shards) AnnotatedEventf(object runtime.Object, annotations map[string]string, kind, reason, format string, args ...any) {
	s.next().AnnotatedEventf(object, annotations, kind, reason, format, args...)
}

// recording is the CA controller for CertificateSigningRequests with the given number of event recorders.
type recording struct {
	*certificatesigningrequests.Controller
	factory *controller.ContextFactory
	count   int
}

func (r recording) Register(ctx *controller.Context) (workqueue.TypedRateLimitingInterface[types.NamespacedName], []cache.InformerSynced, error) {
	all := &shards{recorders: []record.EventRecorder{ctx.Recorder}}
	for len(all.recorders) < r.count {
		other, err := r.factory.Build(csrca.CSRControllerName)
		if err != nil {
			return nil, nil, err
		}
		all.recorders = append(all.recorders, other.Recorder)
	}
	ctx.Recorder = all
	return r.Controller.Register(ctx)
}

func withRecorders(count int) controller.Constructor {
	return func(factory *controller.ContextFactory) (controller.Interface, error) {
		ca := certificatesigningrequests.New(util.IssuerCA, csrca.NewCA)
		return controller.NewBuilder(factory, csrca.CSRControllerName).For(recording{ca, factory, count}).Complete()
	}
}
