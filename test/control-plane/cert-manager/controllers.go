package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cert-manager/cert-manager/pkg/controller"
	"github.com/cert-manager/cert-manager/pkg/controller/acmechallenges"
	"github.com/cert-manager/cert-manager/pkg/controller/acmeorders"
	cracme "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/acme"
	"github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/approver"
	crca "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/ca"
	crselfsigned "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/selfsigned"
	crvault "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/vault"
	crvenafi "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/venafi"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificatesigningrequests/acme"
	csrca "github.com/cert-manager/cert-manager/pkg/controller/certificatesigningrequests/ca"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificatesigningrequests/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificatesigningrequests/vault"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificatesigningrequests/venafi"
	"github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	"github.com/cert-manager/cert-manager/pkg/controller/issuers"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/acme"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/vault"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/venafi"
	"k8s.io/apimachinery/pkg/api/resource"
)

// What cert-manager runs by default, as far as CertificateRequests need it. The controllers for
// CertificateSigningRequests are behind its feature gate: a test that wants them names them.
var byDefault = []string{
	issuers.ControllerName, clusterissuers.ControllerName, acmeorders.ControllerName, acmechallenges.ControllerName,
	approver.ControllerName, cracme.CRControllerName, crca.CRControllerName, crselfsigned.CRControllerName,
	crvault.CRControllerName, crvenafi.CRControllerName,
}

// cert-manager's defaults are 20 and 50. It has no limit if the API server has priority and fairness enabled.
const unlimited = 10_000

func runControllers(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("controllers", flag.ContinueOnError)
	kubeconfig := flags.String("kubeconfig", "", "path to a kubeconfig")
	namespace := flags.String("cluster-resource-namespace", "cert-manager", "namespace of the Secrets of ClusterIssuers")
	names := flags.String("controllers", strings.Join(byDefault, ","), "names of the controllers to run")
	nameservers := flags.String("nameservers", "127.0.0.1:53", "DNS servers for self checks of challenges")
	workers := flags.Int("workers", 5, "number of concurrent workers of each controller")
	qps := flags.Float64("kube-api-qps", unlimited, "requests per second, on API servers without priority and fairness")
	recorders := flags.Int("event-recorders", 1, "event recorders of the CA controller for CertificateSigningRequests")
	burst := flags.Int("kube-api-burst", unlimited, "requests beyond that rate, on the same API servers")
	if err := flags.Parse(args); err != nil {
		return err
	}
	options := contextOptions(*kubeconfig, *namespace, split(*nameservers))
	options.KubernetesAPIQPS, options.KubernetesAPIBurst = float32(*qps), *burst
	factory, err := controller.NewContextFactory(ctx, options)
	if err != nil {
		return err
	}
	known := maps.Clone(controller.Known())
	if *recorders > 1 {
		known[csrca.CSRControllerName] = withRecorders(*recorders)
	}
	started, err := build(factory, known, split(*names))
	if err != nil {
		return err
	}
	informers, err := factory.Build()
	if err != nil {
		return err
	}
	informers.SharedInformerFactory.Start(ctx.Done())
	informers.KubeSharedInformerFactory.Start(ctx.Done())
	informers.HTTP01ResourceMetadataInformersFactory.Start(ctx.Done())
	return runAll(ctx, started, *workers)
}

func contextOptions(kubeconfig, namespace string, nameservers []string) controller.ContextOptions {
	// Never used: no test solves HTTP-01 challenges, which need pods.
	quantity := resource.MustParse("10m")
	return controller.ContextOptions{
		Kubeconfig:    kubeconfig,
		IssuerOptions: controller.IssuerOptions{ClusterResourceNamespace: namespace},
		ACMEOptions: controller.ACMEOptions{
			HTTP01SolverImage:                 "acmesolver",
			HTTP01SolverResourceRequestCPU:    quantity,
			HTTP01SolverResourceRequestMemory: quantity,
			HTTP01SolverResourceLimitsCPU:     quantity,
			HTTP01SolverResourceLimitsMemory:  quantity,
			HTTP01SolverNameservers:           nameservers,
			DNS01Nameservers:                  nameservers,
			DNS01CheckRetryPeriod:             time.Second,
		},
		SchedulerOptions: controller.SchedulerOptions{MaxConcurrentChallenges: 60},
	}
}

func build(factory *controller.ContextFactory, known map[string]controller.Constructor, names []string) ([]controller.Interface, error) {
	var built []controller.Interface
	for _, name := range names {
		create, found := known[name]
		if !found {
			return nil, fmt.Errorf("unknown controller %q", name)
		}
		each, err := create(factory)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		built = append(built, each)
	}
	return built, nil
}

func runAll(ctx context.Context, controllers []controller.Interface, workers int) error {
	ended := make(chan error)
	for _, each := range controllers {
		go func() { ended <- each.Run(workers, ctx) }()
	}
	for range controllers {
		if err := <-ended; err != nil {
			return err
		}
	}
	return nil
}

func split(list string) []string {
	return slices.DeleteFunc(strings.Split(list, ","), func(each string) bool { return each == "" })
}
