// Command peer runs only cert-manager's CA controller for CertificateSigningRequests, so that both signers can be
// measured in one run. It does not mark issuers Ready; the benchmark does that for both sides.
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

// No client-side rate limit. cert-manager also disables its limit if the API server has priority and fairness enabled.
const unlimited = 10_000

func main() {
	kubeconfig := flag.String("kubeconfig", "", "path to a kubeconfig")
	namespace := flag.String("cluster-resource-namespace", "", "namespace of the Secrets of ClusterIssuers")
	workers := flag.Int("workers", 32, "number of concurrent workers")
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
