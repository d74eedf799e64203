package main

import (
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net"
	"time"
)

var (
	keyUsageID         = asn1.ObjectIdentifier{2, 5, 29, 15}
	basicConstraintsID = asn1.ObjectIdentifier{2, 5, 29, 19}
	nameConstraintsID  = asn1.ObjectIdentifier{2, 5, 29, 30}
	extKeyUsageID      = asn1.ObjectIdentifier{2, 5, 29, 37}
)

// contents holds what a request asks for or a certificate contains. Bytes are in hex.
type contents struct {
	Subject string   `json:"subject"`
	Key     string   `json:"key"`
	SAN     string   `json:"san"`
	DNS     []string `json:"dns"`
	Emails  []string `json:"emails"`
	IPs     []string `json:"ips"`
	URIs    int      `json:"uris"`
	IsCA    bool     `json:"isCA"`
	// KeyUsage has bit i of the extension as 1 << i.
	KeyUsage            int        `json:"keyUsage"`
	ExtKeyUsages        []string   `json:"extKeyUsages"`
	UnknownExtKeyUsages []string   `json:"unknownExtKeyUsages"`
	Permitted           [][]string `json:"permitted"`
	Excluded            [][]string `json:"excluded"`
}

// readRequest parses a PKCS#10 request as the API server and cert-manager do first.
func readRequest(der []byte) (string, error) {
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return "", err
	}
	if err := request.CheckSignature(); err != nil {
		return "", err
	}
	read := contents{Subject: hex.EncodeToString(request.RawSubject), Key: hex.EncodeToString(request.RawSubjectPublicKeyInfo)}
	read.setNames(request.DNSNames, request.EmailAddresses, request.IPAddresses, len(request.URIs))
	if err := read.readExtensions(request.Extensions); err != nil {
		return "", err
	}
	return toJSON(read, nil)
}

// readIssued parses a certificate as the API server does with status.certificate.
func readIssued(der []byte) (string, error) {
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return "", err
	}
	read := contents{
		Subject:  hex.EncodeToString(certificate.RawSubject),
		Key:      hex.EncodeToString(certificate.RawSubjectPublicKeyInfo),
		IsCA:     certificate.IsCA,
		KeyUsage: int(certificate.KeyUsage),
	}
	read.setNames(certificate.DNSNames, certificate.EmailAddresses, certificate.IPAddresses, len(certificate.URIs))
	if err := read.readExtensions(certificate.Extensions); err != nil {
		return "", err
	}
	if read.IsCA != certificate.IsCA || read.KeyUsage != int(certificate.KeyUsage) {
		return "", errors.New("crypto/x509 and encoding/asn1 disagree")
	}
	return toJSON(read, nil)
}

// readExtensions parses extension values as cert-manager does. Values that need a certificate parser are parsed by
// Go's.
func (c *contents) readExtensions(extensions []pkix.Extension) error {
	var copied []pkix.Extension
	for _, extension := range extensions {
		var err error
		switch {
		case extension.Id.Equal(basicConstraintsID):
			var value struct {
				IsCA    bool `asn1:"optional"`
				PathLen int  `asn1:"optional,default:-1"`
			}
			err = unmarshalWhole(extension.Value, &value)
			c.IsCA = value.IsCA
		case extension.Id.Equal(keyUsageID):
			var bits asn1.BitString
			err = unmarshalWhole(extension.Value, &bits)
			for bit := range 9 {
				c.KeyUsage |= bits.At(bit) << bit
			}
		case extension.Id.Equal(extKeyUsageID):
			var usages []asn1.ObjectIdentifier
			err = unmarshalWhole(extension.Value, &usages)
			c.ExtKeyUsages = toTexts(usages)
			copied = append(copied, extension)
		case extension.Id.Equal(subjectAltName):
			c.SAN = hex.EncodeToString(extension.Value)
		case extension.Id.Equal(nameConstraintsID):
			copied = append(copied, extension)
		}
		if err != nil {
			return fmt.Errorf("extension %s: %w", extension.Id, err)
		}
	}
	return c.readCopied(copied)
}

func unmarshalWhole(der []byte, value any) error {
	rest, err := asn1.Unmarshal(der, value)
	if err == nil && len(rest) > 0 {
		err = errors.New("trailing data")
	}
	return err
}

var probeKey = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

// readCopied parses the extensions by putting them into a certificate.
func (c *contents) readCopied(extensions []pkix.Extension) error {
	if len(extensions) == 0 {
		return nil
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Unix(1, 0), ExtraExtensions: extensions}
	der, err := x509.CreateCertificate(nil, template, template, probeKey.Public(), probeKey)
	if err != nil {
		return err
	}
	probe, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	c.UnknownExtKeyUsages = toTexts(probe.UnknownExtKeyUsage)
	c.Permitted = constraints(probe.PermittedDNSDomains, probe.PermittedIPRanges, probe.PermittedEmailAddresses, probe.PermittedURIDomains)
	c.Excluded = constraints(probe.ExcludedDNSDomains, probe.ExcludedIPRanges, probe.ExcludedEmailAddresses, probe.ExcludedURIDomains)
	return nil
}

func (c *contents) setNames(dns, emails []string, ips []net.IP, uris int) {
	c.DNS, c.Emails, c.URIs = toHex(dns), toHex(emails), uris
	for _, ip := range ips {
		c.IPs = append(c.IPs, hex.EncodeToString(ip))
	}
}

func constraints(dns []string, ips []*net.IPNet, emails, uris []string) [][]string {
	var networks []string
	for _, network := range ips {
		networks = append(networks, hex.EncodeToString(network.IP.Mask(network.Mask))+hex.EncodeToString(network.Mask))
	}
	return [][]string{toHex(dns), networks, toHex(emails), toHex(uris)}
}

func toHex(texts []string) []string {
	var encoded []string
	for _, text := range texts {
		encoded = append(encoded, hex.EncodeToString([]byte(text)))
	}
	return encoded
}

func toTexts(ids []asn1.ObjectIdentifier) []string {
	var texts []string
	for _, id := range ids {
		texts = append(texts, id.String())
	}
	return texts
}

// MarshalJSON writes nil lists as empty lists.
func (c contents) MarshalJSON() ([]byte, error) {
	type plain contents
	for _, list := range []*[]string{&c.DNS, &c.Emails, &c.IPs, &c.ExtKeyUsages, &c.UnknownExtKeyUsages} {
		*list = append([]string{}, *list...)
	}
	for _, lists := range []*[][]string{&c.Permitted, &c.Excluded} {
		if *lists == nil {
			*lists = make([][]string, 4)
		}
		for i, list := range *lists {
			(*lists)[i] = append([]string{}, list...)
		}
	}
	return json.Marshal(plain(c))
}
