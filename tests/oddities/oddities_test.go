package oddities_test

import (
	"bytes"
	"testing"

	"verbatim/tests/oddities"
)

// The tables are read by name, and the wire test promises 200 responses.
func TestTables(t *testing.T) {
	names := map[string]bool{}
	responses, requests := oddities.Responses(), oddities.Requests()
	for _, r := range responses {
		if names["response "+r.Name] || r.RequestMethod == "" {
			t.Errorf("response %q stands twice or has no method", r.Name)
		}
		names["response "+r.Name] = true
	}
	for _, r := range requests {
		if names["request "+r.Name] || !bytes.Contains(r.Raw, []byte(" HTTP/1.")) {
			t.Errorf("request %q stands twice or is none", r.Name)
		}
		names["request "+r.Name] = true
	}
	if len(responses) < 200 || len(requests) < 100 {
		t.Errorf("%d responses and %d requests", len(responses), len(requests))
	}
}
