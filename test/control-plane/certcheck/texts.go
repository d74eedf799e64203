package main

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kubernetes/pkg/apis/core/validation"
)

// readDuration is what cert-manager does with an annotation: nanoseconds, and the text that messages show.
func readDuration(text []byte) (string, error) {
	duration, err := time.ParseDuration(string(text))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d %s", duration.Nanoseconds(), duration), nil
}

// readSignerName is the API server's rule for spec.signerName.
func readSignerName(text []byte) (string, error) {
	return "", validation.ValidateSignerName(field.NewPath("spec", "signerName"), string(text)).ToAggregate()
}
