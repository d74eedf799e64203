package main

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// parseLine parses a line with a kind and base64 DER. The kinds are PEM labels with dashes instead of spaces, such as
// CERTIFICATE and EC-PRIVATE-KEY.
func parseLine(line string) (string, error) {
	kind, encoded, _ := strings.Cut(line, " ")
	der, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", err
	}
	return parse(kind, der)
}

// parse parses a certificate as the API server does with status.certificate, and a private key as cert-manager does.
func parse(kind string, der []byte) (read string, err error) {
	switch kind {
	case "CERTIFICATE":
		var certificate *x509.Certificate
		if certificate, err = x509.ParseCertificate(der); err == nil {
			read = describe(certificate)
		}
	case "PRIVATE-KEY":
		_, err = x509.ParsePKCS8PrivateKey(der)
	case "EC-PRIVATE-KEY":
		_, err = x509.ParseECPrivateKey(der)
	case "RSA-PRIVATE-KEY":
		_, err = x509.ParsePKCS1PrivateKey(der)
	default:
		err = fmt.Errorf("unknown kind %q", kind)
	}
	return read, err
}

func describe(c *x509.Certificate) string {
	names := sha256.Sum256(append(append(slices.Clone(c.RawIssuer), c.RawSubject...), c.RawSubjectPublicKeyInfo...))
	return fmt.Sprintf("ca=%t ski=%x from=%d to=%d names=%x", c.IsCA, c.SubjectKeyId, c.NotBefore.Unix(), c.NotAfter.Unix(), names)
}
