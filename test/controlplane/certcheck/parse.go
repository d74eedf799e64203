package main

import (
	"bufio"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"
)

// answerLines answers each line with one line: "ok" and what was found, else "error" and why not.
func answerLines(in io.Reader, out io.Writer, answer func(line string) (string, error)) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	answers := bufio.NewWriter(out)
	for lines.Scan() {
		found, err := answer(lines.Text())
		text := "ok " + found
		if err != nil {
			text = "error " + strings.ReplaceAll(err.Error(), "\n", " ")
		}
		if _, err := fmt.Fprintln(answers, text); err != nil {
			return fmt.Errorf("writing answer: %w", err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading lines: %w", err)
	}
	return answers.Flush()
}

// parseLine takes a kind and the base64 of a DER, and gives what Go's parser has read. The kinds are the labels of PEM with dashes
// for spaces, as in CERTIFICATE and EC-PRIVATE-KEY.
func parseLine(line string) (string, error) {
	kind, encoded, _ := strings.Cut(line, " ")
	der, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", fmt.Errorf("reading line: %w", err)
	}
	return parse(kind, der)
}

// parse is what the API server does with a block of status.certificate, and cert-manager with a private key.
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
