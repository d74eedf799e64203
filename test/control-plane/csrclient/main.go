// Command csrclient asks for certificates as well-known clients of the CSR API do: the same calls in the same order, the same PKCS#10
// request and the same reading of the answer. It prints one JSON object, and leaves no file behind. Written after what these clients
// send; none of their code is in it. (Istio's package security/pkg/pki/ra itself: 1538 packages, 473 MB of modules, 6 min 45 s of CPU.)
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
	// Of spec.signerName, before and after the slash.
	signerDomain, signer string
	// File with the root that the client was configured with for this signer; "" for none.
	root     string
	subject  string
	lifetime time.Duration
	patience time.Duration
}

// Answer is what the client is left with.
type Answer struct {
	// Request is the name of the CSR, if it was created.
	Request string `json:"request,omitempty"`
	// Chain is what the client hands on, in PEM, leaf first.
	Chain string `json:"chain,omitempty"`
	// Root is what the client takes for the trust anchor, in PEM.
	Root string `json:"root,omitempty"`
	// Error is the text that the client logs.
	Error string `json:"error,omitempty"`
}

type csrs = clientset.CertificateSigningRequestInterface

var clients = map[string]func(context.Context, csrs, options, *Answer) error{
	"istiod": istiod,
	"calico": calico,
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "csrclient:", err)
		os.Exit(1)
	}
}

func run() error {
	var o options
	flag.StringVar(&o.kubeconfig, "kubeconfig", "", "path of a kubeconfig")
	flag.StringVar(&o.signerDomain, "signer-domain", "", "what is before the slash of the signer name")
	flag.StringVar(&o.signer, "signer", "", "what is after the slash of the signer name")
	flag.StringVar(&o.root, "root", "", "istiod: file with the root (PEM) that meshConfig.caCertificates has for the signer")
	flag.StringVar(&o.subject, "subject", "proxy", "istiod: proxy (an empty organization) or ztunnel (no subject)")
	flag.DurationVar(&o.lifetime, "lifetime", 24*time.Hour, "istiod: lifetime of the certificate")
	flag.DurationVar(&o.patience, "patience", time.Minute, "how long to wait for the certificate")
	flag.Parse()
	act, ok := clients[flag.Arg(0)]
	if !ok {
		return fmt.Errorf("no such client: %q", flag.Arg(0))
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
	if err := act(context.Background(), client.CertificatesV1().CertificateSigningRequests(), o, &answer); err != nil {
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
