package replay_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/replay"
	"verbatim/replay/target"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/output"
	"verbatim/sidecar/query"
)

// recorder writes a log as the capture would.
type recorder struct {
	t   *testing.T
	dir string
	log *auditlog.Log
}

func newRecorder(t *testing.T) *recorder {
	t.Helper()
	return newRecorderWith(t, auditlog.Options{})
}

func newRecorderWith(t *testing.T, o auditlog.Options) *recorder {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{Interval: 10}); err != nil {
		t.Fatal(err)
	}
	l, err := auditlog.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return &recorder{t: t, dir: dir, log: l}
}

func (r *recorder) put(ev *logv1.Event) uint64 {
	r.t.Helper()
	d, err := auditlog.NewDraft(ev)
	if err != nil {
		r.t.Fatal(err)
	}
	p, err := r.log.Append(d).Wait(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return p.Offset
}

func field(name, value string) *logv1.Header {
	return &logv1.Header{Name: []byte(name), Value: []byte(value)}
}

// request records a request to a path.
func (r *recorder) request(path, meter string) uint64 {
	return r.put(&logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{MeterIds: []string{meter}, Headers: []*logv1.Header{
		field(":authority", "pipeline"), field(":path", path), field(":method", "GET"), field(":scheme", "http"),
	}}}})
}

// answer is what the echo server gives for a path, under a policy.
func (r *recorder) answer(path string, policy output.IgnorePolicy) []byte {
	c, err := output.Canonical(output.Message{Status: 200, Body: []byte("you asked for " + path), Headers: []*logv1.Header{
		field("content-type", "text/plain"), field("x-noise", "recorded"),
		field("content-length", fmt.Sprint(len("you asked for ")+len(path))),
	}}, policy)
	if err != nil {
		r.t.Fatal(err)
	}
	return c.Output
}

func (r *recorder) response(to uint64, path string) uint64 {
	return r.put(&logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{
		RequestOffset: to, Output: r.answer(path, noisy("x-noise", "date")),
	}}})
}

func (r *recorder) abort(to uint64, d logv1.Delivered) {
	r.put(&logv1.Event{Kind: &logv1.Event_Abort{Abort: &logv1.Abort{RequestOffset: to, Delivered: d}}})
}

func (r *recorder) local(to uint64, d logv1.Delivered) {
	r.put(&logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{
		RequestOffset: to, Output: []byte("envoy"), LocalReply: &logv1.LocalReply{Delivered: d},
	}}})
}

func (r *recorder) start(p output.IgnorePolicy, image string) {
	r.put(&logv1.Event{Kind: &logv1.Event_Start{Start: &logv1.Start{
		IgnorePolicy: p.Policy(), Pipeline: &logv1.Pipeline{Name: "p", ImageDigest: image},
	}}})
}

func noisy(headers ...string) output.IgnorePolicy {
	p, err := output.NewIgnorePolicy(headers)
	if err != nil {
		panic(err)
	}
	return p
}

// echo answers with the path it was asked for; a path of bad is answered otherwise.
func echo(t *testing.T, bad string) (url string, asked *[]string) {
	t.Helper()
	asked = &[]string{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		*asked = append(*asked, q.URL.Path)
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("X-Noise", "replayed")
		path := q.URL.Path
		if path == bad {
			path = "?"
		}
		_, _ = io.WriteString(w, "you asked for "+path) // a client that is gone is seen elsewhere
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

// replay closes the log and replays it.
func (r *recorder) replay(url string, change func(*replay.Options)) *auditv1.AuditReplayResponse {
	r.t.Helper()
	out, err := r.run(url, change)
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// replayError is replay where there is to be no verdict.
func (r *recorder) replayError(url string, change func(*replay.Options)) error {
	r.t.Helper()
	_, err := r.run(url, change)
	return err
}

func (r *recorder) run(url string, change func(*replay.Options)) (*auditv1.AuditReplayResponse, error) {
	r.t.Helper()
	return r.runUntil(r.t.Context(), url, change)
}

// runUntil is run until ctx ends.
func (r *recorder) runUntil(ctx context.Context, url string, change func(*replay.Options)) (*auditv1.AuditReplayResponse, error) {
	r.t.Helper()
	if err := r.log.Close(context.Background()); err != nil {
		r.t.Fatal(err)
	}
	v, err := auditlog.OpenReadOnly(r.dir)
	if err != nil {
		r.t.Fatal(err)
	}
	defer v.Close()
	o := replay.Options{Target: func(string) (*target.Target, error) { return target.New(url, target.Options{}) }}
	if change != nil {
		change(&o)
	}
	return replay.Run(ctx, v, o)
}

func wantResult(t *testing.T, out *auditv1.AuditReplayResponse, want, word string) {
	t.Helper()
	if got := strings.TrimPrefix(out.GetResult().String(), "REPLAY_RESULT_"); got != want || !strings.Contains(out.GetReason(), word) {
		t.Errorf("%s: %s; want %s with %q", got, out.GetReason(), want, word)
	}
}

func TestOutcomesAreReplayedByTheFormatsRules(t *testing.T) {
	for name, c := range map[string]struct {
		end    func(r *recorder, request uint64)
		sent   bool
		bad    string // a later path that the target answers otherwise
		result string
	}{
		"never delivered":                     {func(r *recorder, o uint64) { r.abort(o, logv1.Delivered_DELIVERED_NO) }, false, "", "VERIFIED"},
		"maybe delivered":                     {func(r *recorder, o uint64) { r.abort(o, logv1.Delivered_DELIVERED_MAYBE) }, true, "", "VERIFIED"},
		"maybe delivered, later difference":   {func(r *recorder, o uint64) { r.abort(o, logv1.Delivered_DELIVERED_MAYBE) }, true, "/later", "CANNOT_TELL"},
		"never delivered, later difference":   {func(r *recorder, o uint64) { r.abort(o, logv1.Delivered_DELIVERED_NO) }, false, "/later", "DIVERGENCE"},
		"maybe delivered, earlier difference": {func(r *recorder, o uint64) { r.abort(o, logv1.Delivered_DELIVERED_MAYBE) }, false, "/first", "DIVERGENCE"},
		"envoy answered, not delivered":       {func(r *recorder, o uint64) { r.local(o, logv1.Delivered_DELIVERED_NO) }, false, "", "VERIFIED"},
		"envoy answered, maybe delivered":     {func(r *recorder, o uint64) { r.local(o, logv1.Delivered_DELIVERED_MAYBE) }, true, "", "VERIFIED"},
		"envoy answered, a later difference":  {func(r *recorder, o uint64) { r.local(o, logv1.Delivered_DELIVERED_MAYBE) }, true, "/later", "CANNOT_TELL"},
		"no outcome, and none before the tip": {func(*recorder, uint64) {}, true, "", "VERIFIED"},
		"no outcome, and a later difference":  {func(*recorder, uint64) {}, true, "/later", "CANNOT_TELL"},
		"answered":                            {func(r *recorder, o uint64) { r.response(o, "/middle") }, true, "", "VERIFIED"},
		"answered otherwise":                  {func(r *recorder, o uint64) { r.response(o, "/middle") }, true, "/middle", "DIVERGENCE"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRecorder(t)
			r.start(noisy("x-noise", "date"), "")
			r.response(r.request("/first", "a"), "/first")
			c.end(r, r.request("/middle", "b"))
			r.response(r.request("/later", "a"), "/later")
			url, asked := echo(t, c.bad)
			out := r.replay(url, nil)
			wantResult(t, out, c.result, "")
			if slices.Contains(*asked, "/middle") != c.sent {
				t.Errorf("sent %v", *asked)
			}
			if d := out.GetDivergence(); c.result != "VERIFIED" && (d == nil || len(d.GetDiff()) == 0) {
				t.Errorf("no divergence with a diff: %v", d)
			}
		})
	}
}

// TestAnythingUnfinishedBeforeADifferenceLeavesItOpen: also what is not selected.
func TestAnythingUnfinishedBeforeADifferenceLeavesItOpen(t *testing.T) {
	maybe := logv1.Delivered_DELIVERED_MAYBE
	for name, c := range map[string]struct {
		record func(r *recorder) (from uint64)
		word   string
	}{
		"before the range": {func(r *recorder) uint64 {
			r.abort(r.request("/lost", "m"), maybe)
			from := r.request("/bad", "m")
			r.response(from, "/bad")
			return from
		}, "unfinished event 2"},
		"of another meter": {func(r *recorder) uint64 {
			from := r.request("/lost", "other")
			r.abort(from, maybe)
			r.response(r.request("/bad", "m"), "/bad")
			return from
		}, "unfinished event 2"},
		"at the same time": {func(r *recorder) uint64 {
			from := r.request("/bad", "m")
			lost := r.request("/lost", "m")
			r.response(from, "/bad")
			r.abort(lost, maybe)
			return from
		}, "unfinished event 3"},
		"a gap": {func(r *recorder) uint64 {
			r.put(&logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{SinceMs: 1, Exchanges: 7}}})
			from := r.request("/bad", "m")
			r.response(from, "/bad")
			return from
		}, "the gap told at 2"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRecorder(t)
			r.start(noisy("x-noise", "date"), "")
			from := c.record(r)
			url, _ := echo(t, "/bad")
			out := r.replay(url, func(o *replay.Options) {
				o.Selection = query.Selection{Start: &from, Meters: []string{"m"}}
			})
			wantResult(t, out, "CANNOT_TELL", c.word)
		})
	}
}

func TestAGapInTheRangeIsAWarning(t *testing.T) {
	r := newRecorder(t)
	r.start(noisy("x-noise", "date"), "")
	r.response(r.request("/a", "m"), "/a")
	r.put(&logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{SinceMs: 1, Exchanges: 7}}})
	url, _ := echo(t, "")
	out := r.replay(url, nil)
	wantResult(t, out, "VERIFIED", "")
	if w := out.GetWarnings(); len(w) != 1 || !strings.Contains(w[0], "at least 7 exchanges passed unrecorded") {
		t.Errorf("warnings %v", w)
	}
}

func TestARequestThatCannotBeSentCannotTell(t *testing.T) {
	r := newRecorder(t)
	r.response(r.request("/a b", "m"), "/a b")
	url, _ := echo(t, "")
	out := r.replay(url, nil)
	wantResult(t, out, "CANNOT_TELL", "can't be sent")
	if out.GetSent() != 0 || out.GetCompared() != 0 {
		t.Errorf("sent %d, compared %d", out.GetSent(), out.GetCompared())
	}
}

func TestFiltersReplayAPartAndSaySo(t *testing.T) {
	r := newRecorder(t)
	r.start(noisy("x-noise", "date"), "")
	for i := range 20 {
		path := fmt.Sprint("/", i)
		r.response(r.request(path, fmt.Sprint("m", i%2)), path)
	}
	url, asked := echo(t, "")
	from, to := uint64(8), uint64(30)
	out := r.replay(url, func(o *replay.Options) {
		o.Selection = query.Selection{Start: &from, End: &to, Meters: []string{"m1"}}
	})
	wantResult(t, out, "VERIFIED", "")
	if n := uint64(len(*asked)); n != out.GetCompared() || n == 0 || n > 6 {
		t.Errorf("sent %v, compared %d", *asked, out.GetCompared())
	}
	if out.GetFootersPartial() == 0 || out.GetFootersEqual() != out.GetFootersChecked() {
		t.Errorf("footers: %d equal of %d, %d partial", out.GetFootersEqual(), out.GetFootersChecked(), out.GetFootersPartial())
	}
}

func TestAPartOfWhatBelongsTogetherIsNotReplayed(t *testing.T) {
	r := newRecorder(t)
	r.response(r.request("/a", "m"), "/a")
	if err := r.log.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	v, err := auditlog.OpenReadOnly(r.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	for name, s := range map[string]query.Selection{
		"kinds": {Kinds: []auditlog.Kind{auditlog.KindRequest}}, "statuses": {Statuses: make([]query.Status, 1)},
		"order": {Order: query.NewestFirst}, "limit": {Limit: 1}, "cursor": {Cursor: "x"},
	} {
		_, err := replay.Run(t.Context(), v, replay.Options{Selection: s})
		if !errors.Is(err, replay.ErrPart) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEachRequestIsJudgedByThePolicyItWasRecordedUnder(t *testing.T) {
	r := newRecorder(t)
	r.start(noisy("x-noise", "date"), "")
	r.response(r.request("/a", "m"), "/a")
	r.start(noisy("date"), "")
	o := r.request("/b", "m") // recorded with the noise in its output
	bad := r.put(&logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: o, Output: r.answer("/b", noisy("date"))}}})
	url, _ := echo(t, "")
	out := r.replay(url, nil)
	wantResult(t, out, "DIVERGENCE", "differs")
	if d := out.GetDivergence(); d.GetFirstBadOffset() != bad || !slices.Contains(d.GetDiff(), "+ header x-noise: replayed") {
		t.Errorf("divergence %v, want it at %d", d, bad)
	}
}

// What differs first is told with its octets, and only where the verdict is over it.
func TestTheFirstDifferenceIsTold(t *testing.T) {
	for _, c := range []struct {
		name, bad string
		told      bool
		delivered logv1.Delivered
	}{
		{"it differs", "/bad", true, logv1.Delivered_DELIVERED_NO},
		{"it is the same", "", false, logv1.Delivered_DELIVERED_NO},
		{"it can't be told", "/bad", false, logv1.Delivered_DELIVERED_MAYBE},
	} {
		r := newRecorder(t)
		r.start(noisy("x-noise", "date"), "")
		r.abort(r.request("/before", "m"), c.delivered)
		q := r.request("/bad", "m")
		answer := r.response(q, "/bad")
		url, _ := echo(t, c.bad)
		var told []replay.Difference
		out := r.replay(url, func(o *replay.Options) { o.Diverged = func(d replay.Difference) { told = append(told, d) } })
		if !c.told {
			if len(told) > 0 {
				t.Errorf("%s: told %v, the verdict is %s", c.name, told, out.GetReason())
			}
			continue
		}
		if len(told) != 1 || told[0].RequestOffset != q || told[0].Offset != answer ||
			sha256.Sum256(told[0].Output) != [32]byte(out.GetDivergence().GetReplayHash()) {
			t.Errorf("%s: told %v, want request %d, answer %d", c.name, told, q, answer)
		}
	}
}

func TestNothingComparedIsNotVerified(t *testing.T) {
	r := newRecorder(t)
	r.abort(r.request("/a", "m"), logv1.Delivered_DELIVERED_MAYBE)
	url, _ := echo(t, "")
	wantResult(t, r.replay(url, nil), "CANNOT_TELL", "nothing was compared")
}

func TestATargetThatIsAwayCannotTell(t *testing.T) {
	r := newRecorder(t)
	r.response(r.request("/a", "m"), "/a")
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	wantResult(t, r.replay(s.URL, nil), "CANNOT_TELL", "could not be reached")
}

func TestAnAnswerThatBreaksOffIsMissing(t *testing.T) {
	r := newRecorder(t)
	r.start(noisy("x-noise", "date"), "")
	bad := r.response(r.request("/a", "m"), "/a")
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(s.Close)
	out := r.replay(s.URL, nil)
	wantResult(t, out, "DIVERGENCE", "no answer")
	if d := out.GetDivergence(); d.GetKind() != auditv1.DivergenceKind_DIVERGENCE_KIND_MISSING || d.GetFirstBadOffset() != bad {
		t.Errorf("divergence %v", d)
	}
}

func TestAnotherImageIsAWarning(t *testing.T) {
	r := newRecorder(t)
	r.start(noisy("x-noise", "date"), "sha256:old")
	r.response(r.request("/a", "m"), "/a")
	url, _ := echo(t, "")
	out := r.replay(url, func(o *replay.Options) { o.TargetImage = "sha256:new" })
	wantResult(t, out, "VERIFIED", "")
	if len(out.GetWarnings()) != 1 || !strings.Contains(out.GetWarnings()[0], "sha256:old") {
		t.Errorf("warnings %v", out.GetWarnings())
	}
}

// TestWhatNeverEnteredOverlapsNothing: a request that was refused was in nobody's way.
func TestWhatNeverEnteredOverlapsNothing(t *testing.T) {
	r := newRecorder(t)
	r.start(noisy("x-noise", "date"), "")
	refused, first, second := r.request("/refused", "a"), r.request("/bad", "b"), r.request("/second", "c")
	r.response(first, "/bad")
	r.response(second, "/second")
	r.abort(refused, logv1.Delivered_DELIVERED_NO)
	url, _ := echo(t, "/bad")
	out := r.replay(url, nil)
	wantResult(t, out, "DIVERGENCE", "1 other requests")
	if got := out.GetDivergence().GetOverlapping(); !slices.Equal(got, []uint64{second}) || out.GetOverlappingPairs() != 1 {
		t.Errorf("overlapping %v, %d pairs", got, out.GetOverlappingPairs())
	}
}

// TestASidecarsRefusalIsNoAnswerOfThePipeline: whatever its reason.
func TestASidecarsRefusalIsNoAnswerOfThePipeline(t *testing.T) {
	r := newRecorder(t)
	r.response(r.request("/a", "m"), "/a")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Verbatim-Refused", "queue-full")
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(s.Close)
	wantResult(t, r.replay(s.URL, nil), "CANNOT_TELL", "lead back")
}
