// What the API server says about the requests that it has served.
package main

import (
	"bytes"
	"context"
	"regexp"
	"strconv"
	"strings"
)

// calls are requests of signers and approvers, watches left out. The driver makes no such requests while it counts.
type calls struct {
	Reads   float64 `json:"reads"`
	Writes  float64 `json:"writes"`
	Reviews float64 `json:"reviews"`
}

var (
	labelPair = regexp.MustCompile(`(\w+)="([^"]*)"`)
	// What signers and approvers read and write. The API server's own requests are for other resources.
	counted = regexp.MustCompile(`^(certificatesigningrequests|podcertificaterequests|events|secrets|(cluster)?issuers)$`)
)

// calls is the number of requests since the API server started.
func (c *cluster) calls(ctx context.Context) (calls, error) {
	var total calls
	text, err := c.admin.Discovery().RESTClient().Get().AbsPath("/metrics").SetHeader("Accept", "text/plain").DoRaw(ctx)
	if err != nil {
		return total, err
	}
	for line := range bytes.Lines(text) {
		rest, found := strings.CutPrefix(string(line), "apiserver_request_total{")
		if !found {
			continue
		}
		labels, count, _ := strings.Cut(rest, "} ")
		number, err := strconv.ParseFloat(strings.TrimSpace(count), 64)
		if err != nil {
			return total, err
		}
		total.add(labels, number)
	}
	return total, nil
}

func (s *calls) add(labels string, count float64) {
	of := map[string]string{}
	for _, pair := range labelPair.FindAllStringSubmatch(labels, -1) {
		of[pair[1]] = pair[2]
	}
	verb, resource := of["verb"], of["resource"]
	switch {
	case strings.HasSuffix(resource, "accessreviews"):
		s.Reviews += count
	// The driver counts events, and approves with PUT.
	case !counted.MatchString(resource) || verb == "WATCH" || resource == "events" && verb == "LIST" || of["subresource"] == "approval" && verb == "PUT":
	case verb == "GET" || verb == "LIST":
		s.Reads += count
	default:
		s.Writes += count
	}
}

func (s calls) since(before calls) calls {
	return calls{s.Reads - before.Reads, s.Writes - before.Writes, s.Reviews - before.Reviews}
}
