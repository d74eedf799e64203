package main

import (
	"bufio"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
)

// parseAll reads lines of a kind and the base64 of a DER, and answers each with one line: empty if Go's parser takes it,
// else why not. The kinds are the labels of PEM with dashes for spaces, as in CERTIFICATE and EC-PRIVATE-KEY.
func parseAll(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	answers := bufio.NewWriter(out)
	for lines.Scan() {
		kind, encoded, _ := strings.Cut(lines.Text(), " ")
		der, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			return fmt.Errorf("reading line: %w", err)
		}
		answer := ""
		if err := parse(kind, der); err != nil {
			answer = strings.ReplaceAll(err.Error(), "\n", " ")
		}
		if _, err := fmt.Fprintln(answers, answer); err != nil {
			return fmt.Errorf("writing answer: %w", err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading lines: %w", err)
	}
	return answers.Flush()
}

// parse is what the API server does with a block of status.certificate, and cert-manager with a private key.
func parse(kind string, der []byte) (err error) {
	switch kind {
	case "CERTIFICATE":
		_, err = x509.ParseCertificate(der)
	case "PRIVATE-KEY":
		_, err = x509.ParsePKCS8PrivateKey(der)
	case "EC-PRIVATE-KEY":
		_, err = x509.ParseECPrivateKey(der)
	case "RSA-PRIVATE-KEY":
		_, err = x509.ParsePKCS1PrivateKey(der)
	default:
		err = fmt.Errorf("unknown kind %q", kind)
	}
	return err
}
