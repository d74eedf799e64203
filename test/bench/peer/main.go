// Command peer runs cert-manager's own CA controller for CertificateSigningRequests and nothing else of cert-manager, so that
// both signers can be measured in one run. It never marks an issuer Ready: the benchmark does, for both sides alike.
package main

import (
	"context"
	"flag"
	"log"
	"os/signal"
	"syscall"

	"github.com/cert-manager/cert-manager/pkg/controller"
	"github.com/cert-manager/cert-manager/pkg/controller/certificatesigningrequests/ca"
)

// As many requests as the API server takes. cert-manager limits itself only where the API server has no priority and fairness.
const unlimited = 10_000

func main() {
	kubeconfig := flag.String("kubeconfig", "", "path of a kubeconfig")
	namespace := flag.String("cluster-resource-namespace", "", "where the Secrets of ClusterIssuers are")
	workers := flag.Int("workers", 32, "how many requests are worked on at a time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	options := controller.ContextOptions{
		Kubeconfig:         *kubeconfig,
		KubernetesAPIQPS:   unlimited,
		KubernetesAPIBurst: unlimited,
		IssuerOptions:      controller.IssuerOptions{ClusterResourceNamespace: *namespace},
	}
	if err := run(ctx, options, *workers); err != nil {
		log.Fatalf("peer: %v", err)
	}
}

func run(ctx context.Context, options controller.ContextOptions, workers int) error {
	factory, err := controller.NewContextFactory(ctx, options)
	if err != nil {
		return err
	}
	start, err := controller.Known()[ca.CSRControllerName](factory)
	if err != nil {
		return err
	}
	informers, err := factory.Build()
	if err != nil {
		return err
	}
	informers.SharedInformerFactory.Start(ctx.Done())
	informers.KubeSharedInformerFactory.Start(ctx.Done())
	return start.Run(workers, ctx)
}
