package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"time"

	certificates "k8s.io/api/certificates/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

const identity = "spiffe://cluster.local/ns/default/sa/app"

// istiod imitates Istio's registration authority for the Kubernetes API: it creates a CSR for a proxy, approves it,
// watches it until it has a certificate, deletes it, and determines the root to send to the proxy.
func istiod(ctx context.Context, api csrs, o options, answer *Answer) error {
	pkcs10, err := proxyRequest(o.subject)
	if err != nil {
		return err
	}
	csr := request(o, pkcs10, certificates.UsageDigitalSignature, certificates.UsageKeyEncipherment, certificates.UsageServerAuth, certificates.UsageClientAuth)
	csr.GenerateName = "csr-workload-"
	seconds := int32(o.lifetime.Seconds())
	csr.Spec.ExpirationSeconds = &seconds
	created, err := api.Create(ctx, csr, meta.CreateOptions{})
	if err != nil {
		return fmt.Errorf("failed to create CSR: %w", err)
	}
	answer.Request = created.Name
	defer func() { _ = api.Delete(ctx, created.Name, meta.DeleteOptions{}) }()
	if err := approve(ctx, api, created); err != nil {
		return fmt.Errorf("failed to approve CSR request: %w", err)
	}
	chain, err := awaitCertificate(ctx, api, created.Name, o.patience)
	if err != nil {
		return err
	}
	answer.Chain = string(chain)
	return findRoot(o, chain, answer)
}

// proxyRequest returns the request that the agent in a pod sends: the identity is the only extension, and critical.
// Sidecars have an empty organization in the subject; ztunnel has an empty subject.
func proxyRequest(subject string) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	uri := asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 6, Bytes: []byte(identity)}
	names, err := asn1.Marshal([]asn1.RawValue{uri})
	if err != nil {
		return nil, err
	}
	template := &x509.CertificateRequest{
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Critical: true, Value: names}},
	}
	if subject == "proxy" {
		template.Subject = pkix.Name{Organization: []string{""}}
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), err
}

func approve(ctx context.Context, api csrs, csr *certificates.CertificateSigningRequest) error {
	text := fmt.Sprintf("CSR (%s) for the certificate () is approved", csr.Name)
	csr.Status.Conditions = append(csr.Status.Conditions, certificates.CertificateSigningRequestCondition{
		Type: certificates.CertificateApproved, Status: core.ConditionTrue, Reason: text, Message: text,
	})
	_, err := api.UpdateApproval(ctx, csr.Name, csr, meta.UpdateOptions{})
	return err
}

// awaitCertificate checks only the certificate, so a failed CSR is waited for until the timeout.
func awaitCertificate(ctx context.Context, api csrs, name string, patience time.Duration) ([]byte, error) {
	one := meta.ListOptions{FieldSelector: "metadata.name=" + name}
	events, err := api.Watch(ctx, one)
	if err != nil {
		return nil, fmt.Errorf("failed to watch CSR %v: %w", name, err)
	}
	defer events.Stop()
	// istiod's chart does not grant list, and istiod ignores the error.
	if list, err := api.List(ctx, one); err == nil && len(list.Items) == 1 && list.Items[0].Status.Certificate != nil {
		return list.Items[0].Status.Certificate, nil
	}
	late := time.After(patience)
	for {
		select {
		case event := <-events.ResultChan():
			if csr, ok := event.Object.(*certificates.CertificateSigningRequest); ok && csr.Status.Certificate != nil {
				return csr.Status.Certificate, nil
			}
			if event.Type == watch.Error || event.Object == nil {
				return nil, errors.New("the watch ended")
			}
		case <-late:
			return nil, fmt.Errorf("timeout when watching CSR %v", name)
		}
	}
}

// findRoot takes the configured root, or else the last certificate of the chain if it is a CA, and verifies the chain
// with it.
func findRoot(o options, chain []byte, answer *Answer) error {
	all, err := parseChain(chain)
	if err != nil {
		return err
	}
	last := all[len(all)-1]
	root := []byte(nil)
	if last.IsCA {
		root = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: last.Raw})
	}
	if o.root != "" {
		if root, err = os.ReadFile(o.root); err != nil {
			return err
		}
	}
	if root == nil {
		return errors.New("failed to find root cert from either signed cert-chain or mesh config")
	}
	roots, others := x509.NewCertPool(), x509.NewCertPool()
	roots.AppendCertsFromPEM(root)
	for _, certificate := range all {
		others.AddCert(certificate)
	}
	if _, err := all[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: others, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		return fmt.Errorf("root cert from signed cert-chain is invalid (failed to verify certificate: %w)", err)
	}
	answer.Root = string(root)
	return nil
}

func parseChain(chain []byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for block, rest := pem.Decode(chain); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		all = append(all, certificate)
	}
	if len(all) == 0 {
		return nil, errors.New("decoding certificate failed")
	}
	return all, nil
}
