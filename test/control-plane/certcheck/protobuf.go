package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	certificatesv1 "k8s.io/api/certificates/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

var magic = []byte("k8s\x00")

// readProtobuf converts an object in its envelope, or a watch event that contains one, to the JSON of the API.
func readProtobuf(data []byte) (string, error) {
	if bytes.HasPrefix(data, magic) {
		object, err := readEnvelope(data)
		return toJSON(object, err)
	}
	var event metav1.WatchEvent
	if err := event.Unmarshal(data); err != nil {
		return "", err
	}
	object, err := readEnvelope(event.Object.Raw)
	return toJSON(map[string]any{"type": event.Type, "object": object}, err)
}

func readEnvelope(data []byte) (any, error) {
	if !bytes.HasPrefix(data, magic) {
		return nil, errors.New("missing envelope")
	}
	var unknown runtime.Unknown
	if err := unknown.Unmarshal(data[len(magic):]); err != nil {
		return nil, err
	}
	switch unknown.Kind {
	case "CertificateSigningRequest":
		var csr certificatesv1.CertificateSigningRequest
		return &csr, csr.Unmarshal(unknown.Raw)
	case "CertificateSigningRequestList":
		var list certificatesv1.CertificateSigningRequestList
		return &list, list.Unmarshal(unknown.Raw)
	default:
		return nil, fmt.Errorf("unexpected kind %q", unknown.Kind)
	}
}

func toJSON(object any, err error) (string, error) {
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(object)
	return string(text), err
}
