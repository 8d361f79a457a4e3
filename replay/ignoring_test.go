package replay_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/replay"
	"verbatim/sidecar/output"
)

func rules(t *testing.T, headers []string, pointers ...string) output.IgnorePolicy {
	t.Helper()
	p, err := output.IgnoreRules{Headers: headers, JSON: pointers}.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// answered records an answer as the capture does.
func (r *recorder) answered(to uint64, p output.IgnorePolicy, m output.Message, change func(*logv1.Response)) {
	r.t.Helper()
	c, err := output.Canonical(m, p)
	if err != nil {
		r.t.Fatal(err)
	}
	response := &logv1.Response{RequestOffset: to, Output: c.Output, IgnoredHeaders: c.Ignored, IgnoredSpans: c.Spans}
	change(response)
	r.put(&logv1.Event{Kind: &logv1.Event_Response{Response: response}})
}

// TestAPolicyIsForBothSides: the recorded {"took":1,"kwh":1.5} is answered now with
// took 22, another x-noise, and another length.
func TestAPolicyIsForBothSides(t *testing.T) {
	noise := []string{"date", "x-noise"}
	whole := func(*logv1.Response) {}
	for name, c := range map[string]struct {
		sealed, chosen []string // pointers; chosen nil: the sealed one
		headers        []string // that the chosen one ignores
		change         func(*logv1.Response)
		result, word   string
		notSealed      bool
		footers        uint64
		diff           string
	}{
		"the sealed one":                {sealed: []string{"/took"}, change: whole, result: "VERIFIED", footers: 1},
		"the sealed one, chosen":        {sealed: []string{"/took"}, chosen: []string{"/took"}, headers: noise, change: whole, result: "VERIFIED", footers: 1},
		"the sealed one is too narrow":  {sealed: []string{"/kwh"}, change: whole, result: "DIVERGENCE", diff: "+ body /took: 22"},
		"a wider one":                   {sealed: []string{"/kwh"}, chosen: []string{"/took"}, headers: noise, change: whole, result: "VERIFIED", word: "not the sealed one", notSealed: true},
		"a narrower one":                {sealed: []string{"/took"}, chosen: []string{"/kwh"}, headers: noise, change: whole, result: "DIVERGENCE", word: "not the sealed one", notSealed: true, diff: "- body /took: 1"},
		"one that ignores less headers": {sealed: []string{"/took"}, chosen: []string{"/took"}, headers: []string{"date"}, change: whole, result: "DIVERGENCE", word: "not the sealed one", notSealed: true, diff: "- header x-noise: recorded"},
		"what was taken out is wrong": {sealed: []string{"/none"}, chosen: []string{"/*"}, headers: noise, change: func(r *logv1.Response) { r.IgnoredHeaders[0].Index = 99 },
			result: "CANNOT_TELL", word: "can't be brought under the chosen ignore policy", notSealed: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRecorder(t)
			sealed := rules(t, noise, c.sealed...)
			r.start(sealed, "")
			const body = `{"took":1,"kwh":1.5}`
			r.answered(r.request("/a", "m"), sealed, output.Message{Path: "/a", Status: 200, Body: []byte(body), Headers: []*logv1.Header{
				field("content-type", "application/json"), field("x-noise", "recorded"), field("content-length", "20"),
			}}, c.change)
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("X-Noise", "replayed")
				_, _ = io.WriteString(w, strings.Replace(body, "1", "22", 1)) // a client that is gone is seen elsewhere
			}))
			t.Cleanup(s.Close)
			used := sealed
			out := r.replay(s.URL, func(o *replay.Options) {
				if c.chosen != nil {
					used = rules(t, c.headers, c.chosen...)
					o.Ignore = &used
				}
			})
			wantResult(t, out, c.result, c.word)
			if digests := out.GetIgnorePolicySha256(); len(digests) != 1 || !bytes.Equal(digests[0], used.Policy().GetSha256()) {
				t.Errorf("policies %x, want that of %s", digests, used.JSON())
			}
			if out.GetIgnorePolicySealed() == c.notSealed {
				t.Errorf("sealed: %v", out.GetIgnorePolicySealed())
			}
			if out.GetFootersEqual() != c.footers || out.GetFootersChecked() != c.footers {
				t.Errorf("footers: %d equal of %d, want %d", out.GetFootersEqual(), out.GetFootersChecked(), c.footers)
			}
			if diff := strings.Join(out.GetDivergence().GetDiff(), "\n"); !strings.Contains(diff, c.diff) {
				t.Errorf("diff:\n%s\nwant %s", diff, c.diff)
			}
		})
	}
}
