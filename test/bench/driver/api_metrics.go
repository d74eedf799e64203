// What the API server says about the requests that it has served.
package main

import (
	"context"
	"regexp"
	"strconv"
)

var reviewCount = regexp.MustCompile(`(?m)^apiserver_request_total\{[^}]*resource="subjectaccessreviews"[^}]*\} (\d+)`)

// reviews is the number of access reviews since the API server started.
func (c *cluster) reviews(ctx context.Context) (float64, error) {
	text, err := c.admin.Discovery().RESTClient().Get().AbsPath("/metrics").SetHeader("Accept", "text/plain").DoRaw(ctx)
	if err != nil {
		return 0, err
	}
	total := 0.0
	for _, found := range reviewCount.FindAllSubmatch(text, -1) {
		count, err := strconv.ParseFloat(string(found[1]), 64)
		if err != nil {
			return 0, err
		}
		total += count
	}
	return total, nil
}
