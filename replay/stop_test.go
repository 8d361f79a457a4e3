package replay_test

import (
	"context"
	"testing"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/replay"
	"verbatim/replay/target"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/verify"
)

// stopper is a witness that ends the replay it is asked in.
type stopper struct {
	at    uint64 // entry; 0: when all are checked
	stop  context.CancelFunc
	ended context.Context
}

func (s *stopper) Each(e auditlog.Entry, _ *logv1.Event) {
	if s.at > 0 && e.Offset == s.at {
		s.stop()
	}
}

func (s *stopper) Judge(context.Context, *auditlog.View, *verify.Report) (replay.Testimony, error) {
	s.stop()
	return replay.Testimony{}, s.ended.Err()
}

// TestAStopIsAVerdictOverAPart: whenever it comes, what was compared until then is
// said, and a part is never VERIFIED.
func TestAStopIsAVerdictOverAPart(t *testing.T) {
	opens := func(url string, stop func()) func(string) (*target.Target, error) {
		return func(string) (*target.Target, error) {
			if stop != nil {
				stop()
				return nil, context.Canceled
			}
			return target.New(url, target.Options{})
		}
	}
	sending := func(o *replay.Options, offset uint64, times int, stop func()) {
		o.Sending = func(at uint64) {
			if at == offset {
				if times--; times == 0 {
					stop()
				}
			}
		}
	}
	for name, c := range map[string]struct {
		bad      string
		change   func(o *replay.Options, url string, ended context.Context, stop context.CancelFunc)
		result   string
		reason   string
		compared uint64
	}{
		"while links are checked": {"", func(o *replay.Options, _ string, ended context.Context, stop context.CancelFunc) {
			o.Witness = &stopper{at: 5, stop: stop, ended: ended}
		}, "CANNOT_TELL", "stopped before anything was sent: the links of 11 entries of 11 were checked", 0},
		"while others are asked": {"", func(o *replay.Options, _ string, ended context.Context, stop context.CancelFunc) {
			o.Witness = &stopper{stop: stop, ended: ended}
		}, "CANNOT_TELL", "stopped before anything was sent", 0},
		"while the target is prepared": {"", func(o *replay.Options, url string, _ context.Context, stop context.CancelFunc) {
			o.Target = opens(url, stop)
		}, "CANNOT_TELL", "stopped before anything was sent; 0 of 4 answers were compared", 0},
		"at a request": {"", func(o *replay.Options, _ string, _ context.Context, stop context.CancelFunc) {
			sending(o, 6, 1, stop)
		}, "CANNOT_TELL", "stopped at offset 6; 2 of 4 answers were compared, and are the same, byte for byte", 2},
		"behind a difference": {"/a", func(o *replay.Options, _ string, _ context.Context, stop context.CancelFunc) {
			o.All = true
			sending(o, 8, 1, stop)
		}, "DIVERGENCE", "differs; the replay did not come to its end: stopped at offset 8; 3 of 4 answers were compared", 3},
		"in the second replay": {"", func(o *replay.Options, url string, _ context.Context, stop context.CancelFunc) {
			o.Second = opens(url, nil)
			sending(o, 4, 2, stop)
		}, "CANNOT_TELL", "in the first replay; the second one: stopped at offset 4; 1 of 4 answers were compared", 4},
		"while the second target is prepared": {"", func(o *replay.Options, url string, _ context.Context, stop context.CancelFunc) {
			o.Second = opens(url, stop)
		}, "CANNOT_TELL", "the second one: stopped before anything was sent; 0 of 4 answers were compared", 4},
		"in the second replay, behind a difference": {"/a", func(o *replay.Options, url string, _ context.Context, stop context.CancelFunc) {
			o.Second = opens(url, nil)
			sending(o, 4, 2, stop)
		}, "DIVERGENCE", "; the second replay did not come to its end: stopped at offset 4; 1 of 4 answers were compared", 4},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRecorder(t)
			r.start(noisy("x-noise", "date"), "")
			for _, path := range []string{"/a", "/b", "/c", "/d"} {
				r.response(r.request(path, "m"), path)
			}
			url, _ := echo(t, c.bad)
			ended, stop := context.WithCancel(t.Context())
			defer stop()
			out, err := r.runUntil(ended, url, func(o *replay.Options) { c.change(o, url, ended, stop) })
			if err != nil {
				t.Fatal(err)
			}
			wantResult(t, out, c.result, c.reason)
			if out.GetCompared() != c.compared || len(out.GetReplayRoot()) > 0 != (c.compared == 4) {
				t.Errorf("%d answers compared, replayed root %x", out.GetCompared(), out.GetReplayRoot())
			}
			if d := out.GetDivergence(); (d != nil) != (c.result == "DIVERGENCE") {
				t.Errorf("divergence %v", d)
			}
		})
	}
}

// TestAStopBehindTheLastAnswerChangesNothing: all was compared.
func TestAStopBehindTheLastAnswerChangesNothing(t *testing.T) {
	r := newRecorder(t)
	r.start(noisy("x-noise", "date"), "")
	r.response(r.request("/a", "m"), "/a")
	url, _ := echo(t, "")
	ended, stop := context.WithCancel(t.Context())
	defer stop()
	out, err := r.runUntil(ended, url, func(o *replay.Options) {
		o.Emit = func(*auditv1.ReplayedExchange) error { stop(); return nil }
	})
	if err != nil {
		t.Fatal(err)
	}
	wantResult(t, out, "VERIFIED", "all 1 answers are the same")
}
