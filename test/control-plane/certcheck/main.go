// Command certcheck checks certificates with independent implementations: Go's crypto/x509 and zlint. It reads JSON
// objects from standard input and answers each with one line of JSON. With a batch mode as argument, it reads lines
// instead and reports for each line whether Go and the API server accept it and what they read. Batch modes: parse
// (certificates and keys), request (PKCS#10 requests), issued (certificates), duration, signer-name, protobuf. It never
// writes files.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// Request is one certificate and its expected properties.
type Request struct {
	// Chain is PEM as in status.certificate, leaf first.
	Chain string `json:"chain"`
	// Roots is PEM of the trusted certificates. It is ignored for a self-signed leaf.
	Roots      string `json:"roots"`
	IsCA       bool   `json:"isCA"`
	SelfSigned bool   `json:"selfSigned"`
	// HasKeyID is true if the leaf has a subjectKeyIdentifier although it is not a CA.
	HasKeyID bool `json:"hasKeyID,omitempty"`
}

// Answer is the result for one certificate.
type Answer struct {
	// Verified is true if Go builds a chain to a root, for any usage, at the earliest time at which all certificates
	// are valid.
	Verified bool `json:"verified"`
	// SameAsGo is true if Go's CreateCertificate writes the same bytes for the same contents, except for the signature.
	SameAsGo bool `json:"sameAsGo"`
	// Error says why Verified or SameAsGo is false.
	Error string `json:"error,omitempty"`
	// Findings are the results of zlint except "pass" and "not applicable".
	Findings []Finding `json:"findings"`
}

// modes maps batch modes to functions.
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
