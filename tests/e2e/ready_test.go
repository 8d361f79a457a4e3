package e2e

import (
	"net/http"
	"strings"

	"verbatim/tests/mesh"
)

// loadSome sends events, each of which is answered by somebody.
func loadSome(s *site, c *client) mesh.LoadResult {
	s.t.Helper()
	r, err := mesh.Load(s.t.Context(), mesh.LoadOptions{
		Addr: s.envoy.Addr, Connections: clientConnections, Events: 200, Meters: clientMeters, Answer: c.note,
	})
	if err != nil || r.Failed[0] > 0 {
		s.t.Fatalf("load: %v, %v: %v", err, r.Failed, r.FirstError)
	}
	return r
}

// loadUntilRefused sends events until some are refused.
func loadUntilRefused(s *site, c *client) {
	s.t.Helper()
	poll(s.t, "events to be refused", func() (bool, error) {
		return loadSome(s, c).Failed[http.StatusServiceUnavailable] > 0, nil
	})
}

// awaitReady waits until the admin port's readyz says so.
func awaitReady(s *site, status int, text string) {
	s.t.Helper()
	var said string
	defer func() {
		if s.t.Failed() {
			s.t.Log("readyz says", said)
		}
	}()
	poll(s.t, "readyz to say "+text, func() (bool, error) {
		got, body := getPage(s.t, "http://"+s.sidecar.Admin+"/readyz")
		said = body
		return got == status && strings.Contains(strings.ToLower(body), text), nil
	})
}
