package replay_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/replay"
	"verbatim/replay/target"
)

// loser answers as echo does, but a path that begins with /reset or /stuck never, and
// one of bad with what word says.
func loser(t *testing.T, bad, word string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		switch {
		case strings.HasPrefix(q.URL.Path, "/reset"):
			panic(http.ErrAbortHandler)
		case strings.HasPrefix(q.URL.Path, "/stuck"):
			<-q.Context().Done()
			return
		}
		w.Header().Set("Content-Type", "text/plain")
		path := q.URL.Path
		if path == bad {
			path = word
		}
		_, _ = io.WriteString(w, "you asked for "+path) // a client that is gone is seen elsewhere
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestWhatFollowsALostRequestIsInDoubt: a pipeline that gave no answer may still be at
// work on the request, as behind one that never got an answer when it was recorded.
func TestWhatFollowsALostRequestIsInDoubt(t *testing.T) {
	const lost = "request 4, which got no answer when it was sent again: "
	for name, c := range map[string]struct {
		path, cause string
		timeout     time.Duration
	}{
		"connection reset": {"/reset", target.ErrReset.Error(), 0},
		"no answer":        {"/stuck", target.ErrTimeout.Error(), 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRecorder(t)
			r.start(noisy("x-noise", "date"), "")
			for _, path := range []string{"/a", c.path, "/c", "/d"} {
				r.response(r.request(path, "m"), path)
			}
			var after []string
			out := r.replay(loser(t, "/d", "?"), func(o *replay.Options) {
				o.All, o.Timeout = true, c.timeout
				o.Emit = func(x *auditv1.ReplayedExchange) error { after = append(after, x.GetAfter()); return nil }
			})
			wantResult(t, out, "DIVERGENCE", "request 4, answered at 5 when recorded, got no answer")
			if len(after) != 4 || after[0] != "" || after[1] != "" || !strings.HasPrefix(after[2], lost+c.cause) || after[3] != after[2] {
				t.Errorf("after %q", after)
			}
			if out.GetDoubtful() != 2 || out.GetDifferences() != 2 {
				t.Errorf("%d answers in doubt, %d differ", out.GetDoubtful(), out.GetDifferences())
			}
		})
	}
}

// TestTheNewestDoubtCounts, whether the record has it or the replay.
func TestTheNewestDoubtCounts(t *testing.T) {
	r := newRecorder(t)
	r.start(noisy("x-noise", "date"), "")
	r.response(r.request("/reset", "m"), "/reset")
	between := r.request("/b", "m")
	r.response(between, "/b")
	r.abort(r.request("/gone", "m"), logv1.Delivered_DELIVERED_MAYBE)
	r.response(r.request("/reset/2", "m"), "/reset/2")
	r.response(r.request("/e", "m"), "/e")
	var after []string
	r.replay(loser(t, "", ""), func(o *replay.Options) {
		o.All = true
		o.Emit = func(x *auditv1.ReplayedExchange) error {
			if x.GetCompared() {
				after = append(after, strings.SplitN(x.GetAfter(), ",", 2)[0])
			}
			return nil
		}
	})
	if want := []string{"", "request 2", "unfinished event 6", "request 8"}; !slices.Equal(after, want) {
		t.Errorf("after %q, want %q", after, want)
	}
}

// TestTwoReplaysThatLostTheSame differ behind it for a reason that nobody knows.
func TestTwoReplaysThatLostTheSame(t *testing.T) {
	r := newRecorder(t)
	r.start(noisy("x-noise", "date"), "")
	for _, path := range []string{"/reset", "/b"} {
		r.response(r.request(path, "m"), path)
	}
	second := loser(t, "/b", "another")
	out := r.replay(loser(t, "", ""), func(o *replay.Options) {
		o.Second = func(string) (*target.Target, error) { return target.New(second, target.Options{}) }
	})
	wantResult(t, out, "NONDETERMINISTIC", "; after request 2, which got no answer when it was sent again: ")
	if d := out.GetDivergence(); d.GetRequestOffset() != 4 || !strings.HasPrefix(d.GetAfter(), "request 2, which got no answer") {
		t.Errorf("divergence %v", d)
	}
}
