package replay_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/replay"
	"verbatim/sidecar/output"
	"verbatim/sidecar/query"
)

// counter is a pipeline with state: it numbers the requests that it gets, of each path
// or of all.
type counter struct {
	global bool
	seen   map[string]int
	asked  []string
}

func (c *counter) answer(path string) string {
	c.asked = append(c.asked, path)
	of := path
	if c.global {
		of = "all"
	}
	c.seen[of]++
	return fmt.Sprintf("%s: number %d of %s", path, c.seen[of], of)
}

// record has a log in which two meters take turns.
func (c *counter) record(t *testing.T, exchanges int) *recorder {
	t.Helper()
	r := newRecorder(t)
	r.start(noisy("date"), "")
	for i := range exchanges {
		meter := fmt.Sprint("m", i%2)
		body := []byte(c.answer("/" + meter))
		r.answered(r.request("/"+meter, meter), noisy("date"), output.Message{Status: 200, Body: body, Headers: []*logv1.Header{
			field("content-type", "text/plain"), field("content-length", fmt.Sprint(len(body))),
		}}, func(*logv1.Response) {})
	}
	return r
}

// start starts a fresh instance; one that is lame never answers its first request.
func (c counter) start(t *testing.T, lame bool) (url string, fresh *counter) {
	t.Helper()
	fresh = &counter{global: c.global, seen: map[string]int{}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body := fresh.answer(q.URL.Path)
		if lame && len(fresh.asked) == 1 {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, body) // a client that is gone is seen elsewhere
	}))
	t.Cleanup(s.Close)
	return s.URL, fresh
}

// TestSelectionsAndState: what is left out matters where the pipeline keeps state
// over it, and warming gives it that state. Offsets: request i is at 2+2i.
func TestSelectionsAndState(t *testing.T) {
	warm := func(from uint64) *uint64 { return &from }
	middle := query.Selection{Start: warm(8), End: warm(17)} // requests 3 to 7
	meter := query.Selection{Meters: []string{"m1"}}         // requests 1, 3, 5, 7
	for name, c := range map[string]struct {
		global, lame bool
		selection    query.Selection
		warmFrom     *uint64
		result, word string
		warmed, sent uint64
	}{
		"a meter, state by meter": {selection: meter, result: "VERIFIED", sent: 4},
		"a meter, state over all": {global: true, selection: meter, result: "CANNOT_TELL", sent: 1,
			word: "the answer at 5 differs, but after 1 requests that are not selected and were not sent again, the first at offset 2, and that may explain it; " +
				"to tell, send them too, with --warm-from 2"},
		"a meter, state over all, warmed":             {global: true, selection: meter, warmFrom: warm(0), result: "VERIFIED", warmed: 4, sent: 8},
		"a window, state by meter":                    {selection: middle, result: "CANNOT_TELL", word: "after 3 requests that are not selected", sent: 1},
		"a window, state by meter, warmed":            {selection: middle, warmFrom: warm(0), result: "VERIFIED", warmed: 3, sent: 8},
		"a window, state over all, warmed":            {global: true, selection: middle, warmFrom: warm(0), result: "VERIFIED", warmed: 3, sent: 8},
		"a window, warmed from too late":              {selection: middle, warmFrom: warm(5), result: "CANNOT_TELL", word: "after 2 requests that are not selected", warmed: 1, sent: 2},
		"a window, and a warming request got nothing": {lame: true, selection: middle, warmFrom: warm(0), result: "VERIFIED", warmed: 3, sent: 8},
	} {
		t.Run(name, func(t *testing.T) {
			pipeline := counter{global: c.global, seen: map[string]int{}}
			r := pipeline.record(t, 8)
			url, fresh := pipeline.start(t, c.lame)
			var warmed uint64
			out := r.replay(url, func(o *replay.Options) {
				o.Selection, o.WarmFrom = c.selection, c.warmFrom
				o.Emit = func(x *auditv1.ReplayedExchange) error {
					if x.GetWarmed() {
						warmed++
					}
					if x.GetWarmed() == x.GetCompared() {
						t.Errorf("event %v is both, or neither", x)
					}
					return nil
				}
			})
			wantResult(t, out, c.result, c.word)
			if out.GetWarmed() != c.warmed || warmed != c.warmed || out.GetSent() != c.sent || uint64(len(fresh.asked)) != c.sent {
				t.Errorf("%d of %d were sent to warm, %d events say so; %v came", out.GetWarmed(), out.GetSent(), warmed, fresh.asked)
			}
			if out.GetCompared() != c.sent-c.warmed || c.sent == 8 && !slices.Equal(fresh.asked, pipeline.asked) {
				t.Errorf("%d answers were compared, %v came", out.GetCompared(), fresh.asked)
			}
		})
	}
}

// TestAWarmingRequestThatWasLost can explain what differs behind it.
func TestAWarmingRequestThatWasLost(t *testing.T) {
	r := newRecorder(t)
	r.start(noisy("x-noise", "date"), "")
	r.response(r.request("/reset", "other"), "/reset")
	r.response(r.request("/b", "m"), "/b")
	out := r.replay(loser(t, "/b", "?"), func(o *replay.Options) {
		o.Selection, o.WarmFrom = query.Selection{Meters: []string{"m"}}, new(uint64)
	})
	wantResult(t, out, "CANNOT_TELL", "the answer at 5 differs, but after request 2, which got no answer when it was sent again: ")
	if !strings.HasPrefix(out.GetDivergence().GetAfter(), "request 2,") || out.GetDoubtful() != 1 {
		t.Errorf("divergence %v, %d answers in doubt", out.GetDivergence(), out.GetDoubtful())
	}
}

// TestRequestsThatEnvoyTriedAgain leave their own answers and all that follow in doubt,
// but not where each attempt is an exchange of its own.
func TestRequestsThatEnvoyTriedAgain(t *testing.T) {
	const careful = "after request 4, which Envoy tried 3 times: the pipeline may have got it more than once"
	up := logv1.Position_POSITION_UPSTREAM
	for name, c := range map[string]struct {
		attempts     uint32
		position     logv1.Position
		bad          string
		result, word string
		doubtful     uint64
	}{
		"no difference":              {3, 0, "", "VERIFIED", "", 2},
		"its own answer":             {3, 0, "/tried", "CANNOT_TELL", "the answer at 5 differs, but " + careful, 1},
		"a later answer":             {3, 0, "/later", "CANNOT_TELL", "the answer at 7 differs, but " + careful, 2},
		"an earlier answer":          {3, 0, "/first", "DIVERGENCE", "", 0},
		"one attempt":                {1, 0, "/later", "DIVERGENCE", "", 0},
		"attempts are not known":     {0, 0, "/later", "DIVERGENCE", "", 0},
		"recorded behind the router": {3, up, "/later", "DIVERGENCE", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRecorder(t)
			r.put(&logv1.Event{Kind: &logv1.Event_Start{Start: &logv1.Start{IgnorePolicy: noisy("x-noise", "date").Policy(), Position: c.position}}})
			r.response(r.request("/first", "m"), "/first")
			r.put(&logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{
				RequestOffset: r.request("/tried", "m"), Output: r.answer("/tried", noisy("x-noise", "date")), AttemptCount: c.attempts,
			}}})
			r.response(r.request("/later", "m"), "/later")
			url, _ := echo(t, c.bad)
			out := r.replay(url, nil)
			wantResult(t, out, c.result, c.word)
			if out.GetDoubtful() != c.doubtful {
				t.Errorf("%d answers in doubt, want %d", out.GetDoubtful(), c.doubtful)
			}
		})
	}
}
