package e2e

import (
	"bytes"
	"net/http"
	"testing"

	"verbatim/filter"
	"verbatim/tests/mesh"
)

// TestUpstream: behind the router the capture records and refuses as before it.
func TestUpstream(t *testing.T) {
	s := newSite(t, siteOptions{
		protocol: filter.H2,
		serve:    []string{"--position", "upstream", "--max-event-bytes", "4096"},
		capture:  filter.Capture{Position: filter.Upstream},
	})
	s.load(mesh.LoadOptions{Events: 50, Connections: 4, Meters: 5})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.envoy.Addr+"/v1/readings", bytes.NewReader(make([]byte, 5000)))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode < 500 {
		t.Errorf("a request that is not recorded got %s, %v, want 5xx", resp.Status, err)
	}
	http.DefaultClient.CloseIdleConnections()
	s.stop()
	if r := s.verify(0, s.log); r.Requests != 50 || r.Responses != 50 {
		t.Errorf("%d requests and %d responses, want 50 of each", r.Requests, r.Responses)
	}
	if v := s.replayInto(0, s.log, ""); v.Result != "VERIFIED" || v.Compared != 50 || v.LocalReplies != 0 {
		t.Errorf("replay: %+v, want VERIFIED with 50 compared", v)
	}
}
