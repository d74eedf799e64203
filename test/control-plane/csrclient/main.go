// Command csrclient requests certificates like well-known clients of the CSR API: it makes the same calls in the same
// order, with the same PKCS#10 request, and interprets the response in the same way. It prints one JSON object and
// writes no files. It is modelled on what these clients send and contains none of their code. (Istio's package
// security/pkg/pki/ra itself: 1538 packages, 473 MB of modules, 6 min 45 s of CPU.) Only the certificate manager is
// client-go's own.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	certificates "k8s.io/api/certificates/v1"
	"k8s.io/client-go/kubernetes"
	clientset "k8s.io/client-go/kubernetes/typed/certificates/v1"
	"k8s.io/client-go/tools/clientcmd"
)

type options struct {
	kubeconfig string
	// The parts of spec.signerName before and after the slash.
	signerDomain, signer string
	// File with the root configured in the client for this signer; empty for none.
	root     string
	subject  string
	lifetime time.Duration
	patience time.Duration
}

// Answer is the result from the client's point of view.
type Answer struct {
	// Request is the name of the CSR, if one was created.
	Request string `json:"request,omitempty"`
	// Chain is the chain that the client passes on, in PEM, leaf first.
	Chain string `json:"chain,omitempty"`
	// Root is the client's trust anchor, in PEM.
	Root string `json:"root,omitempty"`
	// Error is the message that the client logs.
	Error string `json:"error,omitempty"`
}

type csrs = clientset.CertificateSigningRequestInterface

type client func(context.Context, kubernetes.Interface, options, *Answer) error

var clients = map[string]client{
	"istiod":  withCSRs(istiod),
	"calico":  withCSRs(calico),
	"manager": manager,
}

func withCSRs(act func(context.Context, csrs, options, *Answer) error) client {
	return func(ctx context.Context, api kubernetes.Interface, o options, answer *Answer) error {
		return act(ctx, api.CertificatesV1().CertificateSigningRequests(), o, answer)
	}
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "csrclient:", err)
		os.Exit(1)
	}
}

func run() error {
	var o options
	flag.StringVar(&o.kubeconfig, "kubeconfig", "", "path to a kubeconfig")
	flag.StringVar(&o.signerDomain, "signer-domain", "", "part of the signer name before the slash")
	flag.StringVar(&o.signer, "signer", "", "part of the signer name after the slash")
	flag.StringVar(&o.root, "root", "", "istiod: PEM file with the root in meshConfig.caCertificates for this signer")
	flag.StringVar(&o.subject, "subject", "proxy", "istiod: subject of the request, proxy (empty organization) or ztunnel (empty subject)")
	flag.DurationVar(&o.lifetime, "lifetime", 24*time.Hour, "istiod, manager: lifetime of the certificate")
	flag.DurationVar(&o.patience, "patience", time.Minute, "how long to wait for the certificate")
	flag.Parse()
	act, ok := clients[flag.Arg(0)]
	if !ok {
		return fmt.Errorf("unknown client: %q", flag.Arg(0))
	}
	config, err := clientcmd.BuildConfigFromFlags("", o.kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	var answer Answer
	if err := act(context.Background(), client, o, &answer); err != nil {
		answer.Error = err.Error()
	}
	return json.NewEncoder(os.Stdout).Encode(answer)
}

func (o options) signerName() string { return o.signerDomain + "/" + o.signer }

func request(o options, pkcs10 []byte, usages ...certificates.KeyUsage) *certificates.CertificateSigningRequest {
	return &certificates.CertificateSigningRequest{
		Spec: certificates.CertificateSigningRequestSpec{Request: pkcs10, SignerName: o.signerName(), Usages: usages},
	}
}
