// Command driver measures a signer of CertificateSigningRequests and PodCertificateRequests through the API server. Each mode prints one JSON
// object. The signer is any shell command; the driver only observes API objects.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

type options struct {
	mode, kubeconfig, signer, command, log, as string
	kind, beside, csrSigner                    string
	count, parallel, accounts                  int
	rate                                       float64
	patience                                   time.Duration
	keep, hold, live                           bool
}

func main() {
	o := parse()
	result, err := run(context.Background(), o)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(result)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "driver: %s: %v\n", o.mode, err)
		os.Exit(1)
	}
}

func parse() options {
	var o options
	flag.StringVar(&o.mode, "mode", "", "what to run: ca, floor, drain, latency, storm, instant, create, fill or clear")
	flag.StringVar(&o.kubeconfig, "kubeconfig", "", "path to a kubeconfig")
	flag.StringVar(&o.signer, "signer", "clusterissuers.cert-manager.io/bench", "signerName of the CSRs; with mode ca: the key type, ec or rsa")
	flag.StringVar(&o.command, "command", "", "drain, latency, storm: shell command that runs the signer in the foreground")
	flag.StringVar(&o.log, "log", "signer.log", "drain, latency, storm: log file for the output of the command")
	flag.StringVar(&o.as, "as", "", "create: user to impersonate")
	flag.IntVar(&o.count, "count", 1000, "number of requests")
	flag.IntVar(&o.parallel, "parallel", 32, "number of concurrent API calls")
	flag.Float64Var(&o.rate, "rate", 20, "latency, storm: requests per second")
	flag.StringVar(&o.kind, "kind", "csr", "floor, drain, latency: kind of the requests, csr or pod")
	flag.IntVar(&o.accounts, "accounts", 1, "kind pod, storm: number of ServiceAccounts that share the requests")
	flag.StringVar(&o.beside, "beside", "", "drain: shell command that runs an approver in the foreground")
	flag.BoolVar(&o.hold, "hold", false, "drain: approve nothing before the signer starts; -beside approves, or the driver without it")
	flag.StringVar(&o.csrSigner, "csr-signer", "", "storm: signerName of the CSRs")
	flag.BoolVar(&o.live, "live", false, "storm: create the requests of the pods while the signer is running")
	flag.DurationVar(&o.patience, "patience", 5*time.Minute, "how long to wait for the certificates")
	flag.BoolVar(&o.keep, "keep", false, "keep the CSRs at the end")
	flag.Parse()
	return o
}

func run(ctx context.Context, o options) (any, error) {
	if o.mode == "ca" {
		return newAuthority(o.signer)
	}
	c, err := connect(o)
	if err != nil {
		return nil, err
	}
	switch o.mode {
	case "floor":
		return floor(ctx, c, o)
	case "drain":
		return drain(ctx, c, o)
	case "latency":
		return latency(ctx, c, o)
	case "storm":
		return storm(ctx, c, o)
	case "instant":
		return instant(ctx, c, o)
	case "create":
		return create(ctx, c, o)
	case "fill":
		return fill(ctx, c, o)
	case "clear":
		return struct{}{}, c.clear(ctx)
	default:
		return nil, fmt.Errorf("unknown mode")
	}
}

// clients act as the administrator, as the requester, and as the kubelet of the node.
type clients struct{ admin, creator, kubelet kubernetes.Interface }

func connect(o options) (*cluster, error) {
	config, err := clientcmd.BuildConfigFromFlags("", o.kubeconfig)
	if err != nil {
		return nil, err
	}
	// No client-side rate limit and the cheapest encoding, so that the driver is not the bottleneck.
	config.QPS, config.Burst = -1, -1
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf"
	asUser := rest.CopyConfig(config)
	asUser.Impersonate = rest.ImpersonationConfig{UserName: o.as}
	admin, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	creator, err := kubernetes.NewForConfig(asUser)
	if err != nil {
		return nil, err
	}
	config.Impersonate = kubelet()
	kubelet, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return newCluster(clients{admin, creator, kubelet}, o.signer)
}
