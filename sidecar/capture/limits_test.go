package capture_test

import (
	"strings"
	"testing"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/capture"
	"verbatim/sidecar/room"
)

// roomRig has little room, and shows how much of it is taken.
func roomRig(t *testing.T, octets int64) (*rig, *room.Room) {
	t.Helper()
	r := room.New(octets)
	return newRig(t, func(o *capture.Options) { o.Room = r }), r
}

// allReleased waits until no room is taken.
func allReleased(t *testing.T, r *room.Room) {
	t.Helper()
	for r.Taken() != 0 {
		if t.Context().Err() != nil {
			t.Fatalf("%d octets stay taken", r.Taken())
		}
	}
}

func TestARequestIsMeasuredByItsHead(t *testing.T) {
	for name, c := range map[string]struct {
		headers []string
		status  int
		word    string
		taken   int64
	}{
		"fits":                {[]string{"content-length", "1000"}, 0, "", 1000},
		"too large":           {[]string{"content-length", "1001"}, 413, "a body of 1001 bytes is larger than max_event_bytes (1000)", 0},
		"no number":           {[]string{"content-length", "x"}, 0, "", 1000},
		"beyond every number": {[]string{"content-length", "99999999999999999999"}, 413, "max_event_bytes", 0},
		"length unknown":      {nil, 0, "", 1000},
	} {
		t.Run(name, func(t *testing.T) {
			r, inFlight := roomRig(t, 2500)
			x := r.begin()
			reply := x.ask(requestHeaders(false, c.headers...))
			if c.status == 0 && reply.GetRequestHeaders() == nil {
				t.Errorf("refused: %v", reply)
			}
			if c.status != 0 {
				refusedWith(t, reply, c.status, c.word)
			}
			if n := inFlight.Taken(); n != c.taken {
				t.Errorf("%d octets are taken, want %d", n, c.taken)
			}
			x.end()
			allReleased(t, inFlight)
		})
	}
}

func TestWhatDoesNotFitIsRefusedAtOnce(t *testing.T) {
	r, inFlight := roomRig(t, 1500)
	first := r.begin()
	first.ask(requestHeaders(false, "content-length", "900"))
	second := r.begin()
	refused(t, second.ask(requestHeaders(false, "content-length", "601")), "max_bytes_in_flight")
	third := r.begin()
	third.ask(requestHeaders(false, "content-length", "600"))
	third.ask(requestBody(true, strings.Repeat("x", 300))) // it was less than it said
	fourth := r.begin()
	fourth.ask(requestHeaders(false, "content-length", "300"))
	for _, x := range []*exchange{first, second, third, fourth} {
		x.end()
	}
	allReleased(t, inFlight)
}

// TestAnAnswerIsMeasuredToo: the pipeline has worked already, so the request gets
// an Abort that says so.
func TestAnAnswerIsMeasuredToo(t *testing.T) {
	for name, c := range map[string]struct {
		steps  func(x *exchange) *extprocv3.ProcessingResponse
		status int
		word   string
	}{
		"head says too large": {func(x *exchange) *extprocv3.ProcessingResponse {
			return x.ask(unsized("content-length", "1001"))
		}, 502, "an answer of 1001 bytes is larger than max_event_bytes (1000)"},
		"is too large": {func(x *exchange) *extprocv3.ProcessingResponse {
			x.ask(responseHeaders(false, "200", "via_upstream", 0))
			return x.ask(responseBody(true, strings.Repeat("x", 1001)))
		}, 502, "an answer of 1001 bytes"},
		"no room": {func(x *exchange) *extprocv3.ProcessingResponse {
			return x.ask(unsized("content-length", "800"))
		}, 503, "an answer finds no room"},
	} {
		t.Run(name, func(t *testing.T) {
			r, inFlight := roomRig(t, 1700)
			other, ok := inFlight.Take(0)
			if !ok {
				t.Fatal("no room")
			}
			x := r.begin()
			x.ask(requestHeaders(true))
			if name == "no room" && !other.Resize(1000) {
				t.Fatal("no room")
			}
			refusedWith(t, c.steps(x), c.status, c.word)
			x.end()
			abort := r.events(3)[2].GetAbort()
			if abort.GetDelivered() != logv1.Delivered_DELIVERED_MAYBE || abort.GetCause() != logv1.AbortCause_ABORT_CAUSE_REFUSED {
				t.Errorf("abort %v", abort)
			}
			other.Release()
			allReleased(t, inFlight)
		})
	}
}

func TestARequestThatNeverComesWholeIsRefused(t *testing.T) {
	inFlight := room.New(5000)
	r := newRig(t, func(o *capture.Options) { o.MaxGather, o.Room = time.Millisecond, inFlight })
	x := r.begin()
	x.ask(requestHeaders(false))
	reply, err := x.stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	refusedWith(t, reply, 408, "capture.stream")
	x.send(requestBody(true, "it comes all the same")) // too late
	x.end()
	if n := len(r.events(1)); n != 1 {
		t.Errorf("%d entries, want none of the request", n)
	}
	allReleased(t, inFlight)
}
