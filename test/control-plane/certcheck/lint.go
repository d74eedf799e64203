package main

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	zlintlib "github.com/zmap/zlint/v3/lint"
)

// Finding is one finding of zlint.
type Finding struct {
	Lint string `json:"lint"`
	// Status is info, warn, error or fatal.
	Status  string `json:"status"`
	Details string `json:"details,omitempty"`
	// Source is the set of rules, e.g. RFC5280 or CABF_BR. The latter applies to public CAs only.
	Source string `json:"source"`
}

func lint(der []byte) ([]Finding, error) {
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("zlint cannot parse the certificate: %w", err)
	}
	var findings []Finding
	for name, result := range zlint.LintCertificate(certificate).Results {
		if result.Status > zlintlib.Pass {
			source := string(result.LintMetadata.Source)
			findings = append(findings, Finding{name, result.Status.String(), result.Details, source})
		}
	}
	slices.SortFunc(findings, func(a, b Finding) int { return cmp.Compare(a.Lint, b.Lint) })
	return findings, nil
}
