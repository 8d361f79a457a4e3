package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// startMoving is a pipeline whose answers hold when it gave them, which none gives again.
func startMoving(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("content-type", "application/json")
		now := time.Now().UnixNano()
		_, _ = fmt.Fprintf(w, `{"received_ns": %d, "reading": %s, "lines": [{"kwh": 1.50, "at": %d}, {"kwh": 2, "at": %d}]}`, now, body, now+1, now+2)
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// TestWhatMovesIsIgnored: an ignore policy that names the moving fields by JSON Pointer
// makes a replay VERIFIED, whether it was sealed or is chosen at the replay; without it
// the difference names them.
func TestWhatMovesIsIgnored(t *testing.T) {
	inPlaces(t, observing, func(t *testing.T, p wirePlace) {
		t.Run("sealed", func(t *testing.T) { ignoring(t, p, true) })
		t.Run("chosen", func(t *testing.T) { ignoring(t, p, false) })
	})
}

func ignoring(t *testing.T, p wirePlace, sealed bool) {
	o, another := siteOptions{upstream: startMoving(t)}, "json: [/received_ns, /lines/*/at]\n"
	if sealed {
		o.serve, another = []string{"--ignore.json", "/received_ns", "--ignore.json", "/lines/*/at"}, "json: []\n"
	}
	s := newSite(t, p.options(o, "meter"))
	for i := range 3 {
		body := fmt.Sprintf(`{"meter_id":"m%d"}`, i)
		raw := fmt.Sprintf("POST /v1/readings HTTP/1.1\r\nhost: h\r\ncontent-length: %d\r\n\r\n%s", len(body), body)
		if status, answer := askWire(t, s.envoy.Addr, []byte(raw)); status != http.StatusOK || !strings.Contains(answer, body) {
			t.Fatalf("status %d, %s", status, answer)
		}
	}
	p.stop(s, 3)
	if r := s.verify(0, s.log); !r.OK || r.Responses != 3 {
		t.Errorf("verify: %+v", r)
	}
	policy := filepath.Join(t.TempDir(), "ignore.yaml")
	if err := os.WriteFile(policy, []byte(another), 0o600); err != nil {
		t.Fatal(err)
	}
	checkMoving(s, !sealed)
	checkMoving(s, sealed, "--ignore", policy)
}

// checkMoving replays into a fresh instance: what moves is ignored, or named.
func checkMoving(s *site, named bool, args ...string) {
	s.t.Helper()
	exit, result, fields := 0, "VERIFIED", []string(nil)
	if named {
		exit, result, fields = 1, "DIVERGENCE", []string{"body /lines/0/at", "body /lines/1/at", "body /received_ns"}
	}
	var v verdict
	s.runJSON(exit, &v, append([]string{"replay", "--log", s.log, "--target", "http://" + startMoving(s.t)}, args...)...)
	if v.Result != result || named && (v.Divergence == nil || !slices.Equal(v.Divergence.Fields, fields)) || !named && v.Compared != 3 {
		s.t.Errorf("replay %v: %+v, %+v; want %s, %v", args, v, v.Divergence, result, fields)
	}
	if other := strings.Contains(v.Reason, "under an ignore policy that is not the sealed one"); other != (len(args) > 0) {
		s.t.Errorf("replay %v: %s", args, v.Reason)
	}
}
