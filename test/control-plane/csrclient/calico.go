package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"time"

	certificates "k8s.io/api/certificates/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const podRequest = "node-certs:calico-node-abcde"

// calico imitates the init container of a Calico pod with certificateManagement: it creates a CSR named after the pod,
// replacing the CSR of an earlier attempt, and watches all CSRs until its own is approved and has a certificate. It
// never approves.
func calico(ctx context.Context, api csrs, o options, answer *Answer) error {
	pkcs10, err := podPKCS10()
	if err != nil {
		return err
	}
	csr := request(o, pkcs10, certificates.UsageServerAuth, certificates.UsageClientAuth, certificates.UsageDigitalSignature, certificates.UsageKeyAgreement)
	csr.Name, csr.Labels = podRequest, map[string]string{"k8s-app": "calico-node"}
	_, err = api.Create(ctx, csr, meta.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		if err := api.Delete(ctx, csr.Name, meta.DeleteOptions{}); err != nil {
			return err
		}
		_, err = api.Create(ctx, csr, meta.CreateOptions{})
	}
	if err != nil {
		return fmt.Errorf("crashed while trying to create Kubernetes certificate signing request: %w", err)
	}
	answer.Request = csr.Name
	return awaitApproved(ctx, api, o.patience, answer)
}

func awaitApproved(ctx context.Context, api csrs, patience time.Duration, answer *Answer) error {
	events, err := api.Watch(ctx, meta.ListOptions{})
	if err != nil {
		return fmt.Errorf("unable to watch certificate requests: %w", err)
	}
	defer events.Stop()
	late := time.After(patience)
	for {
		select {
		case event, open := <-events.ResultChan():
			if !open {
				return errors.New("the watch ended")
			}
			csr, ok := event.Object.(*certificates.CertificateSigningRequest)
			if ok && csr.Name == answer.Request && len(csr.Status.Certificate) > 0 && isApproved(csr) {
				answer.Chain = string(csr.Status.Certificate)
				return nil
			}
		case <-late:
			return errors.New("no certificate yet")
		}
	}
}

func isApproved(csr *certificates.CertificateSigningRequest) bool {
	for _, condition := range csr.Status.Conditions {
		if condition.Type == certificates.CertificateApproved && condition.Status == core.ConditionTrue {
			return true
		}
	}
	return false
}

// podPKCS10 returns a request with the defaults of the init container: an RSA-2048 key, basicConstraints with CA:FALSE,
// and the pod's address.
func podPKCS10() ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	noCA, err := asn1.Marshal(struct {
		IsCA bool `asn1:"optional"`
	}{})
	if err != nil {
		return nil, err
	}
	template := &x509.CertificateRequest{
		Subject: pkix.Name{
			CommonName: "typha-client", Country: []string{"US"}, Province: []string{"California"}, Locality: []string{"San Francisco"},
			Organization: []string{"Tigera"}, OrganizationalUnit: []string{"Engineering"},
		},
		DNSNames:           []string{"calico-node", "calico-node.calico-system.svc"},
		IPAddresses:        []net.IP{net.IPv4(10, 0, 0, 7)},
		SignatureAlgorithm: x509.SHA256WithRSA,
		ExtraExtensions:    []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Critical: true, Value: noCA}},
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), err
}
