package main

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

// parseCertificates reads every block of the text; there must be one at least, and nothing else.
func parseCertificates(text string) ([]*x509.Certificate, error) {
	var certificates []*x509.Certificate
	rest := []byte(text)
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certificates = append(certificates, certificate)
	}
	if len(certificates) == 0 {
		return nil, errors.New("no certificate")
	}
	return certificates, nil
}

func verify(request Request, chain, roots []*x509.Certificate) error {
	leaf := chain[0]
	if leaf.IsCA != request.IsCA {
		return fmt.Errorf("isCA is %t", leaf.IsCA)
	}
	if request.SelfSigned {
		// Certificate.Verify does not look at the signature of a trusted certificate.
		roots = []*x509.Certificate{leaf}
		if err := leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature); err != nil {
			return err
		}
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots:         pool(roots),
		Intermediates: pool(chain[1:]),
		CurrentTime:   begin(append(chain, roots...)),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err
}

// begin is the first moment at which all certificates are valid, if there is one: a fixed time in a test says nothing
// else.
func begin(certificates []*x509.Certificate) time.Time {
	var latest time.Time
	for _, certificate := range certificates {
		if certificate.NotBefore.After(latest) {
			latest = certificate.NotBefore
		}
	}
	return latest
}

func pool(certificates []*x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, certificate := range certificates {
		pool.AddCert(certificate)
	}
	return pool
}
