package main

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// parseCertificates parses every block of the text. There must be at least one block and no other text.
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

// verifyLine verifies a chain given as base64 DER, leaf first, trusted root last.
func verifyLine(line string) (string, error) {
	var chain []*x509.Certificate
	for _, encoded := range strings.Fields(line) {
		der, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			return "", fmt.Errorf("reading line: %w", err)
		}
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return "", fmt.Errorf("parsing: %w", err)
		}
		chain = append(chain, certificate)
	}
	if len(chain) < 2 {
		return "", errors.New("incomplete chain")
	}
	root := len(chain) - 1
	return "", verifyChain(chain[0], chain[1:root], chain[root:])
}

func verify(request Request, chain, roots []*x509.Certificate) error {
	leaf := chain[0]
	if leaf.IsCA != request.IsCA {
		return fmt.Errorf("isCA is %t", leaf.IsCA)
	}
	if request.SelfSigned {
		// Certificate.Verify does not check the signature of a trusted certificate.
		roots = []*x509.Certificate{leaf}
		if err := leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature); err != nil {
			return err
		}
	}
	return verifyChain(leaf, chain[1:], roots)
}

// verifyChain verifies for any usage, at the earliest time at which all certificates are valid.
func verifyChain(leaf *x509.Certificate, intermediates, roots []*x509.Certificate) error {
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots:         pool(roots),
		Intermediates: pool(intermediates),
		CurrentTime:   begin(slices.Concat([]*x509.Certificate{leaf}, intermediates, roots)),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err
}

// begin returns the earliest time at which all certificates are valid, so that tests do not depend on the current time.
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
