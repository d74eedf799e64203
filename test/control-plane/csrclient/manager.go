package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"sync"
	"time"

	certificates "k8s.io/api/certificates/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/certificate"
)

// manager runs the certificate manager of client-go, which kubelets and many controllers use: it creates a CSR, waits for
// the certificate, and renews it. The first certificate ends the run.
func manager(ctx context.Context, client kubernetes.Interface, o options, answer *Answer) error {
	store := &memoryStore{stored: make(chan []byte, 1)}
	certs, err := certificate.NewManager(&certificate.Config{
		ClientsetFn: func(*tls.Certificate) (kubernetes.Interface, error) { return client, nil },
		Template: &x509.CertificateRequest{
			Subject:  pkix.Name{CommonName: "my-controller"},
			DNSNames: []string{"my-controller.example.com"},
		},
		SignerName:                   o.signerName(),
		RequestedCertificateLifetime: &o.lifetime,
		Usages:                       []certificates.KeyUsage{certificates.UsageDigitalSignature, certificates.UsageClientAuth},
		CertificateStore:             store,
		Name:                         "my-controller",
		Ctx:                          &ctx,
	})
	if err != nil {
		return err
	}
	certs.Start()
	defer certs.Stop()
	select {
	case chain := <-store.stored:
		answer.Chain = string(chain)
		return nil
	case <-time.After(o.patience):
		return errors.New("no certificate yet")
	}
}

type memoryStore struct {
	lock    sync.Mutex
	current *tls.Certificate
	stored  chan []byte
}

func (s *memoryStore) Current() (*tls.Certificate, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.current == nil {
		none := certificate.NoCertKeyError("no certificate yet")
		return nil, &none
	}
	return s.current, nil
}

func (s *memoryStore) Update(chain, key []byte) (*tls.Certificate, error) {
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(chain)
	if pair.Leaf, err = x509.ParseCertificate(block.Bytes); err != nil {
		return nil, err
	}
	s.lock.Lock()
	s.current = &pair
	s.lock.Unlock()
	s.stored <- chain
	return &pair, nil
}
