package replay_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/replay"
	"verbatim/sidecar/output"
)

// stream records a request whose body comes in parts.
func (r *recorder) stream(path string) uint64 {
	return r.put(&logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{
		MeterIds: []string{"m"}, HasBody: true, Stream: true,
		Headers: []*logv1.Header{field(":authority", "pipeline"), field(":path", path), field(":method", "POST"), field(":scheme", "http")},
	}}})
}

func (r *recorder) sent(p *logv1.RequestPart) uint64 {
	return r.put(&logv1.Event{Kind: &logv1.Event_RequestPart{RequestPart: p}})
}

func (r *recorder) came(p *logv1.ResponsePart) uint64 {
	return r.put(&logv1.Event{Kind: &logv1.Event_ResponsePart{ResponsePart: p}})
}

// streamed records the outcome of a stream that gave these octets.
func (r *recorder) streamed(to uint64, body string) uint64 {
	c, err := output.Canonical(output.Message{
		Status: 200, Headers: []*logv1.Header{field("x-echo", "1")}, Stream: output.StreamOf([]byte(body)),
	}, noisy("date"))
	if err != nil {
		r.t.Fatal(err)
	}
	return r.put(&logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: to, Output: c.Output}}})
}

// parrot answers each two octets with the same, or as the path says; it counts the
// streams that it got, and those of them that ended as they should.
type parrot struct{ asked, whole atomic.Int32 }

func (p *parrot) serve(w http.ResponseWriter, q *http.Request) {
	p.asked.Add(1)
	if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
		panic(err)
	}
	w.Header()["Content-Type"] = nil // none is to be guessed
	w.Header().Set("X-Echo", "1")
	w.WriteHeader(http.StatusOK)
	word := make([]byte, 2)
	for {
		if _, err := io.ReadFull(q.Body, word); err != nil {
			if err == io.EOF {
				p.whole.Add(1)
			}
			return
		}
		said := string(word)
		switch {
		case q.URL.Path == "/silent":
			continue
		case q.URL.Path == "/wrong" && said == "cd":
			said = "xd"
		}
		if _, err := io.WriteString(w, said); err != nil {
			return
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			return
		}
	}
}

func startParrot(t *testing.T) (*parrot, string) {
	t.Helper()
	p := &parrot{}
	s := httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(s.Close)
	return p, s.URL
}

// talk records "ab", its echo, "cd", its echo and the end, as far as it goes: each
// part of the request needs the answer to the one before.
func (r *recorder) talk(path string, steps int) (request uint64, parts []uint64) {
	request = r.stream(path)
	for i, step := range []func() uint64{
		func() uint64 { return r.sent(&logv1.RequestPart{RequestOffset: request, Data: []byte("ab")}) },
		func() uint64 {
			return r.came(&logv1.ResponsePart{RequestOffset: request, Headers: []*logv1.Header{field(":status", "200")}})
		},
		func() uint64 { return r.came(&logv1.ResponsePart{RequestOffset: request, Data: []byte("ab")}) },
		func() uint64 { return r.sent(&logv1.RequestPart{RequestOffset: request, Data: []byte("cd")}) },
		func() uint64 {
			return r.came(&logv1.ResponsePart{RequestOffset: request, Data: []byte("cd"), TurnEnded: true})
		},
		func() uint64 { return r.sent(&logv1.RequestPart{RequestOffset: request, Last: true}) },
	} {
		if i < steps {
			parts = append(parts, step())
		}
	}
	return request, parts
}

func TestStreamsAreReplayed(t *testing.T) {
	for _, c := range []struct {
		path, result, word string
		diff               string
		kind               auditv1.DivergenceKind
	}{
		{"/", "VERIFIED", "", "", 0},
		{"/wrong", "DIVERGENCE", "differs", "+ body line 1: abxd", auditv1.DivergenceKind_DIVERGENCE_KIND_BODY},
		// The part "cd" can't be sent, as what it waited for does not come.
		{"/silent", "DIVERGENCE", "when 2 octets of the answer had come, now only 0 came", "", auditv1.DivergenceKind_DIVERGENCE_KIND_ORDER_OF_PARTS},
	} {
		t.Run(strings.Trim(c.path, "/"), func(t *testing.T) {
			r := newRecorder(t)
			r.start(noisy("date"), "")
			request, parts := r.talk(c.path, 6)
			r.streamed(request, "abcd")
			p, url := startParrot(t)
			out := r.replay(url, func(o *replay.Options) {
				if c.path == "/silent" {
					o.Timeout = 200 * time.Millisecond
				}
			})
			wantResult(t, out, c.result, c.word)
			if c.path == "/silent" && !strings.Contains(out.GetReason(), "at "+strconv.FormatUint(parts[3], 10)) {
				t.Errorf("%s: the part at %d is not named", out.GetReason(), parts[3])
			}
			if d := out.GetDivergence(); d.GetKind() != c.kind || c.diff != "" && !slices.Contains(d.GetDiff(), c.diff) {
				t.Errorf("divergence %v, want a diff with %q", d, c.diff)
			}
			if n := p.asked.Load(); n != 1 || out.GetCompared() != 1 {
				t.Errorf("%d requests came, %d answers were compared", n, out.GetCompared())
			}
			if len(out.GetWarnings()) != 1 || !strings.Contains(out.GetWarnings()[0], "gave their turn back") {
				t.Errorf("warnings %v", out.GetWarnings())
			}
		})
	}
}

// A stream that broke off is sent as far as it is recorded, and cut off then. It
// leaves what follows in doubt like any unfinished event.
func TestStreamsThatBrokeOff(t *testing.T) {
	for name, c := range map[string]struct {
		steps       int
		cause       logv1.AbortCause
		delivered   logv1.Delivered
		asked, read int32
	}{
		"never let through":               {0, logv1.AbortCause_ABORT_CAUSE_REFUSED, logv1.Delivered_DELIVERED_NO, 0, 0},
		"before the first part":           {0, logv1.AbortCause_ABORT_CAUSE_CLIENT_GONE, logv1.Delivered_DELIVERED_MAYBE, 1, 0},
		"in the middle":                   {5, logv1.AbortCause_ABORT_CAUSE_UNKNOWN, logv1.Delivered_DELIVERED_MAYBE, 1, 0},
		"by the pipeline, all being sent": {6, logv1.AbortCause_ABORT_CAUSE_PIPELINE_RESET, logv1.Delivered_DELIVERED_MAYBE, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRecorder(t)
			r.start(noisy("date"), "")
			whole, _ := r.talk("/", 6)
			r.streamed(whole, "abcd")
			request, _ := r.talk("/", c.steps)
			r.put(&logv1.Event{Kind: &logv1.Event_Abort{Abort: &logv1.Abort{RequestOffset: request, Delivered: c.delivered, Cause: c.cause}}})
			p, url := startParrot(t)
			out := r.replay(url, nil)
			wantResult(t, out, "VERIFIED", "")
			if p.asked.Load() != 1+c.asked || p.whole.Load() != 1+c.read || out.GetCompared() != 1 {
				t.Errorf("%d streams came, %d of them whole, %d answers were compared", p.asked.Load(), p.whole.Load(), out.GetCompared())
			}
		})
	}
}

// What was not kept can't be sent; what comes behind it can't be judged.
func TestOmittedOctetsAreNotReplayed(t *testing.T) {
	r := newRecorder(t)
	r.start(noisy("date"), "")
	large := r.stream("/")
	r.sent(&logv1.RequestPart{RequestOffset: large, Last: true, Omitted: &logv1.Omitted{Octets: 99, Sha256: make([]byte, 32)}})
	r.streamed(large, "any")
	wrong, _ := r.talk("/wrong", 6)
	r.streamed(wrong, "abcd")
	p, url := startParrot(t)
	out := r.replay(url, nil)
	wantResult(t, out, "CANNOT_TELL", "could not be sent again")
	if n := p.asked.Load(); n != 1 || out.GetSent() != 1 || out.GetCompared() != 1 || out.GetRequests() != 2 {
		t.Errorf("%d requests came: %v", n, out)
	}
	if w := out.GetWarnings(); len(w) != 2 || !strings.Contains(w[0], "1 requests were not sent") {
		t.Errorf("warnings %v", w)
	}
}

// What was not sent takes its place in the roots from the record, as Envoy's own
// answers do; what comes behind it keeps its own.
func TestTheRootsCoverWhatWasNotSent(t *testing.T) {
	r := newRecorder(t)
	r.start(noisy("date"), "")
	large := r.stream("/")
	r.sent(&logv1.RequestPart{RequestOffset: large, Last: true, Omitted: &logv1.Omitted{Octets: 99, Sha256: make([]byte, 32)}})
	r.streamed(large, "any")
	right, _ := r.talk("/", 6)
	r.streamed(right, "abcd")
	_, url := startParrot(t)
	out := r.replay(url, nil)
	wantResult(t, out, "VERIFIED", "all 1 answers are the same")
	if len(out.GetReplayRoot()) == 0 || !bytes.Equal(out.GetOriginalRoot(), out.GetReplayRoot()) {
		t.Errorf("roots %x and %x", out.GetOriginalRoot(), out.GetReplayRoot())
	}
}

// An answer that was held is one with a body, though its head has an entry before.
func TestHeldAnswersAreComparedWhole(t *testing.T) {
	r := newRecorder(t)
	r.start(noisy("x-noise", "date"), "")
	request := r.request("/a", "m")
	r.came(&logv1.ResponsePart{RequestOffset: request, Headers: []*logv1.Header{field(":status", "200")}})
	r.response(request, "/a")
	url, _ := echo(t, "")
	wantResult(t, r.replay(url, nil), "VERIFIED", "")
}
