// Command certcheck judges certificates with tools that are not Countersign's: Go's crypto/x509 and zlint. It reads
// requests as JSON objects from standard input, and answers each with one line of JSON. With the name of a batch mode it tells of each
// of many lines whether Go and the API server read it, and what they read: parse (certificates and keys), request (PKCS#10 requests),
// issued (certificates), duration, signer-name, protobuf. It never writes a file.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// Request is one certificate with what it should be.
type Request struct {
	// Chain is PEM as in status.certificate: the leaf first, then what is above it.
	Chain string `json:"chain"`
	// Roots is PEM of the certificates that are trusted; not looked at for a self-signed leaf.
	Roots      string `json:"roots"`
	IsCA       bool   `json:"isCA"`
	SelfSigned bool   `json:"selfSigned"`
	// HasKeyID tells whether the leaf carries its key's identifier although it is no CA.
	HasKeyID bool `json:"hasKeyID,omitempty"`
}

// Answer is what the tools think of one certificate.
type Answer struct {
	// Verified tells whether Go builds a chain to a root, as soon as all are valid and for any usage.
	Verified bool `json:"verified"`
	// SameAsGo tells whether Go's CreateCertificate, given the same contents, writes the same bytes (signature aside).
	SameAsGo bool `json:"sameAsGo"`
	// Error tells why one of the two is false.
	Error string `json:"error,omitempty"`
	// Findings are zlint's, all but what passes or does not apply.
	Findings []Finding `json:"findings"`
}

// modes answer line by line.
var modes = map[string]answerLine{
	"parse":       parseLine,
	"verify":      verifyLine,
	"request":     onBytes(readRequest),
	"issued":      onBytes(readIssued),
	"duration":    onBytes(readDuration),
	"signer-name": onBytes(readSignerName),
	"protobuf":    onBytes(readProtobuf),
}

func main() {
	answerAll := run
	if len(os.Args) == 2 {
		answerAll = func(in io.Reader, out io.Writer) error { return answerLines(in, out, modes[os.Args[1]]) }
	}
	if err := answerAll(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "certcheck:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	decoder := json.NewDecoder(in)
	decoder.DisallowUnknownFields()
	encoder := json.NewEncoder(out)
	for {
		var request Request
		if err := decoder.Decode(&request); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading request: %w", err)
		}
		if err := encoder.Encode(check(request)); err != nil {
			return fmt.Errorf("writing answer: %w", err)
		}
	}
}

func check(request Request) Answer {
	answer := Answer{Findings: []Finding{}}
	chain, err := parseCertificates(request.Chain)
	if err != nil {
		answer.Error = err.Error()
		return answer
	}
	roots, err := parseCertificates(request.Roots)
	if err != nil && !request.SelfSigned {
		answer.Error = fmt.Sprintf("roots: %v", err)
		return answer
	}
	verifyErr := verify(request, chain, roots)
	sameErr := compareWithGo(chain[0], append(chain[1:], roots...), request.HasKeyID)
	findings, lintErr := lint(chain[0].Raw)
	answer.Verified = verifyErr == nil
	answer.SameAsGo = sameErr == nil
	answer.Findings = append(answer.Findings, findings...)
	if err := errors.Join(verifyErr, sameErr, lintErr); err != nil {
		answer.Error = err.Error()
	}
	return answer
}
