package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
)

var subjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}

// compareWithGo creates a certificate with the same contents with Go and compares the signed bytes. The contents come
// from the certificate itself; whether they are correct is checked elsewhere.
func compareWithGo(leaf *x509.Certificate, above []*x509.Certificate, hasKeyID bool) error {
	template := templateOf(leaf)
	parent := template
	if !bytes.Equal(leaf.RawIssuer, leaf.RawSubject) {
		parent = &x509.Certificate{RawSubject: leaf.RawIssuer, SubjectKeyId: issuerKeyID(leaf, above)}
	}
	signer, err := anyKeyFor(leaf.SignatureAlgorithm)
	if err != nil {
		return err
	}
	if hasKeyID {
		if template.SubjectKeyId, err = goKeyID(leaf, signer); err != nil {
			return err
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, leaf.PublicKey, signer)
	if err != nil {
		return fmt.Errorf("creating the certificate with Go: %w", err)
	}
	twin, err := x509.ParseCertificate(der)
	if err != nil {
		return fmt.Errorf("parsing Go's certificate: %w", err)
	}
	if !bytes.Equal(twin.RawTBSCertificate, leaf.RawTBSCertificate) {
		return fmt.Errorf("Go writes different bytes: %x", twin.RawTBSCertificate)
	}
	return nil
}

// templateOf returns the template as cert-manager fills it. The key identifiers are left to Go.
func templateOf(leaf *x509.Certificate) *x509.Certificate {
	template := &x509.Certificate{
		SerialNumber:                leaf.SerialNumber,
		SignatureAlgorithm:          leaf.SignatureAlgorithm,
		RawSubject:                  leaf.RawSubject,
		NotBefore:                   leaf.NotBefore,
		NotAfter:                    leaf.NotAfter,
		KeyUsage:                    leaf.KeyUsage,
		ExtKeyUsage:                 leaf.ExtKeyUsage,
		UnknownExtKeyUsage:          leaf.UnknownExtKeyUsage,
		BasicConstraintsValid:       true,
		IsCA:                        leaf.IsCA,
		OCSPServer:                  leaf.OCSPServer,
		IssuingCertificateURL:       leaf.IssuingCertificateURL,
		CRLDistributionPoints:       leaf.CRLDistributionPoints,
		PermittedDNSDomainsCritical: leaf.PermittedDNSDomainsCritical,
		PermittedDNSDomains:         leaf.PermittedDNSDomains,
		ExcludedDNSDomains:          leaf.ExcludedDNSDomains,
		PermittedIPRanges:           leaf.PermittedIPRanges,
		ExcludedIPRanges:            leaf.ExcludedIPRanges,
		PermittedEmailAddresses:     leaf.PermittedEmailAddresses,
		ExcludedEmailAddresses:      leaf.ExcludedEmailAddresses,
		PermittedURIDomains:         leaf.PermittedURIDomains,
		ExcludedURIDomains:          leaf.ExcludedURIDomains,
	}
	for _, extension := range leaf.Extensions {
		if extension.Id.Equal(subjectAltName) {
			empty := bytes.Equal(leaf.RawSubject, []byte{0x30, 0})
			copied := pkix.Extension{Id: extension.Id, Critical: empty, Value: extension.Value}
			template.ExtraExtensions = []pkix.Extension{copied}
		}
	}
	return template
}

// goKeyID returns the identifier that Go computes for a CA with the key of the leaf; Go sets none for other
// certificates.
func goKeyID(leaf *x509.Certificate, signer crypto.Signer) ([]byte, error) {
	template := &x509.Certificate{SerialNumber: leaf.SerialNumber, BasicConstraintsValid: true, IsCA: true}
	der, err := x509.CreateCertificate(rand.Reader, template, &x509.Certificate{}, leaf.PublicKey, signer)
	if err != nil {
		return nil, fmt.Errorf("creating a CA with Go: %w", err)
	}
	ca, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("parsing Go's CA: %w", err)
	}
	return ca.SubjectKeyId, nil
}

func issuerKeyID(leaf *x509.Certificate, above []*x509.Certificate) []byte {
	for _, certificate := range above {
		if bytes.Equal(certificate.RawSubject, leaf.RawIssuer) && leaf.CheckSignatureFrom(certificate) == nil {
			return certificate.SubjectKeyId
		}
	}
	return nil
}

// anyKeyFor generates a key that can sign with the algorithm. The signed bytes do not depend on the key.
func anyKeyFor(algorithm x509.SignatureAlgorithm) (crypto.Signer, error) {
	switch algorithm {
	case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA:
		return rsa.GenerateKey(rand.Reader, 2048)
	case x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case x509.PureEd25519:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	default:
		return nil, fmt.Errorf("unexpected signature algorithm %s", algorithm)
	}
}
