package main

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kubernetes/pkg/apis/core/validation"
)

// readDuration parses a duration as cert-manager parses the annotation. It returns nanoseconds and the text shown in
// messages.
func readDuration(text []byte) (string, error) {
	duration, err := time.ParseDuration(string(text))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d %s", duration.Nanoseconds(), duration), nil
}

// readSignerName applies the API server's validation of spec.signerName.
func readSignerName(text []byte) (string, error) {
	return "", validation.ValidateSignerName(field.NewPath("spec", "signerName"), string(text)).ToAggregate()
}
