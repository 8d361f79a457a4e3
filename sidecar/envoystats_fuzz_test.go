package sidecar

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"verbatim/sidecar/capture"
)

// FuzzEnvoyState: whatever Envoy's admin endpoint answers, it can't be read, or its
// counter is what is lost, once.
func FuzzEnvoyState(f *testing.F) {
	for _, seed := range [][2]string{
		{`{"version":"1","uptime_all_epochs":"1000s"}`, `{"stats":[{"name":"` + upstreamCounter + `","value":9},{"name":"` + passedCounter + `","value":5}]}`},
		{`{"version":"1","uptime_all_epochs":"-1h"}`, `{"stats":[{"name":"` + passedCounter + `","value":5},{"name":"` + passedCounter + `","value":3}]}`},
		{`{"version":7}`, `{"stats":[{}]}`},
		{`{"uptime_all_epochs":"2562047h47m16.854775807s"}`, `{"stats":[{"name":"` + passedCounter + `","value":18446744073709551615}]}`},
		{`{"uptime_all_epochs":"-2562047h47m16.854775808s"}`, `{"stats":[{"name":"` + passedCounter + `","value":-1}]}`},
		{"[", ""},
	} {
		f.Add([]byte(seed[0]), []byte(seed[1]))
	}
	log := openLog(f)
	var info, stats []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/server_info" {
			_, _ = w.Write(info)
			return
		}
		_, _ = w.Write(stats)
	}))
	f.Cleanup(server.Close)
	f.Fuzz(func(t *testing.T, anInfo, someStats []byte) {
		info, stats = anInfo, someStats
		w := &envoyWatch{
			admin: server.URL, log: log, losses: &capture.Losses{}, logger: slog.New(slog.DiscardHandler),
			changed: func(context.Context, string) error { return nil },
		}
		state, err := w.ask(t.Context())
		if err != nil {
			if !strings.HasPrefix(err.Error(), "ask envoy: ") && !strings.HasPrefix(err.Error(), "read envoy's uptime: ") {
				t.Errorf("not said what failed: %v", err)
			}
			return
		}
		for range 2 {
			if err := w.look(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		lost := uint64(0)
		for _, l := range w.losses.Untold() {
			lost += l.Exchanges
		}
		if lost != state.passed {
			t.Errorf("%d passed, and %d are lost", state.passed, lost)
		}
	})
}
