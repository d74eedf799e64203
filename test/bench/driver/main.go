// Command driver measures a signer of CertificateSigningRequests through the API server. Each mode prints one JSON
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
	count, parallel                            int
	rate                                       float64
	patience                                   time.Duration
	keep                                       bool
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
	flag.StringVar(&o.mode, "mode", "", "what to run: ca, floor, drain, latency, instant, create, fill or clear")
	flag.StringVar(&o.kubeconfig, "kubeconfig", "", "path to a kubeconfig")
	flag.StringVar(&o.signer, "signer", "clusterissuers.cert-manager.io/bench", "signerName of the CSRs; with mode ca: the key type, ec or rsa")
	flag.StringVar(&o.command, "command", "", "drain, latency: shell command that runs the signer in the foreground")
	flag.StringVar(&o.log, "log", "signer.log", "drain, latency: log file for the output of the command")
	flag.StringVar(&o.as, "as", "", "create: user to impersonate")
	flag.IntVar(&o.count, "count", 1000, "number of CSRs")
	flag.IntVar(&o.parallel, "parallel", 32, "number of concurrent API calls")
	flag.Float64Var(&o.rate, "rate", 20, "latency: approvals per second")
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
	return newCluster(admin, creator, o.signer)
}
