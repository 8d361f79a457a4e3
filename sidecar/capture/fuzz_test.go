package capture_test

import (
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/capture"
	"verbatim/sidecar/room"
	"verbatim/sidecar/turn"
)

// messageOf is one of the messages that Envoy could send, or one that it would not.
func messageOf(b byte) *extprocv3.ProcessingRequest {
	switch b % 16 {
	case 0:
		return requestHeaders(b&16 != 0, "x-meter-id", "m")
	case 1:
		return grpcHeaders()
	case 2, 3:
		return requestBody(b&16 != 0, "ask")
	case 4:
		return requestBody(true, "")
	case 5:
		return requestTrailers("t", "1")
	case 6:
		return unsized()
	case 7:
		return unsized("content-type", "text/event-stream")
	case 8:
		return responseHeaders(b&16 != 0, "200", "via_upstream", 0)
	case 9:
		return answerHeaders(true, "stream_timeout", 4, ":status", "504")
	case 10, 11:
		return responseBody(b&16 != 0, "answer")
	case 12:
		return responseBody(true, "")
	case 13:
		return responseTrailers("t", "1")
	case 14:
		return unsized("content-length", "2000")
	}
	return &extprocv3.ProcessingRequest{}
}

// Where a whole request and its whole answer are, of which each message is answered.
const (
	atRequest = iota
	atRequestBody
	atResponse
	atResponseBody
	elsewhere
)

// follows says where an exchange is behind a message of messageOf: elsewhere if it is not
// the next one, or if its octet does not ask to wait for the reply.
func follows(at int, b byte) int {
	kind, end := b%16, b&16 != 0 || b%16 == 4 || b%16 == 12
	switch {
	case b&32 == 0:
	case at == atRequest && kind == 0 && !end:
		return atRequestBody
	case at == atRequest && kind == 0, at == atRequestBody && kind >= 2 && kind <= 4 && end:
		return atResponse
	case at == atResponse && kind == 8 && !end:
		return atResponseBody
	}
	return elsewhere
}

// FuzzMessages sends messages in any order, and ends anywhere: no request may be
// left open, none may have two outcomes or a part behind its outcome, and its turn
// and its room must be free. A request's headers are only let go with a clock if it is
// recorded. What comes in Envoy's order, each message behind the reply to the one before,
// is answered. All runs share one log, in which each leaves nothing open.
func FuzzMessages(f *testing.F) {
	for _, seed := range []string{
		"", "\x10", "\x30", "0(", "08", " 2(", " 2(*", "\x01\x02", "0\x06", "\x10\x18", "\x00\x02\x15\x08\x1a", "\x01\x02\x07\x0a\x12\x0a\x0d", "\x01\x09", "\x10\x06\x0a\x1a", "\x10\x06\x0a\x0d",
		"\x0f\x08", "\x08\x00", "\x01\x0e\x0a\x1a\x02", "\x10\x06\x0a\x06\x0a\x1a", "\x10\x18\x1a\x1a\x12", "\x05\x00", "\x01\x05\x05\x04\x1b",
	} {
		f.Add([]byte(seed))
	}
	inFlight := room.New(5000)
	turns := turn.New(turn.Options{Ordering: logv1.Ordering_ORDERING_METER, MaxWaiting: 10, MaxWait: time.Millisecond})
	shared := newRig(f, func(o *capture.Options) {
		o.Hold, o.Oversize, o.Room, o.Turns = time.Millisecond, true, inFlight, turns
	})
	next := uint64(1) // the offset that the next run begins with
	f.Fuzz(func(t *testing.T, messages []byte) {
		r := *shared
		r.t = t
		clocks := sendAll(t, r.begin(), messages[:min(len(messages), 16)])
		if inFlight.Taken() != 0 || turns.Running() != 0 || turns.Waiting() != 0 {
			t.Errorf("nothing is in flight, and %d octets of room and %d turns are taken, %d wait", inFlight.Taken(), turns.Running(), turns.Waiting())
		}
		next = checkOutcomes(t, &r, next, clocks)
	})
}

// FuzzObserved is FuzzMessages for profile observe, in which nothing is answered: an
// exchange is counted at most once.
func FuzzObserved(f *testing.F) {
	for _, seed := range []string{
		"", "\x10", "\x10\x18", "\x00\x02\x15\x08\x1a", "\x01\x02\x07\x0a\x12\x0a\x0d", "\x01\x09", "\x10\x06\x0a\x1a", "\x10\x06\x0a\x0d",
		"\x0f\x08", "\x08\x00", "\x01\x0e\x0a\x1a\x02", "\x10\x06\x0a\x06\x0a\x1a", "\x10\x18\x1a\x1a\x12", "\x05\x00", "\x01\x05\x05\x04\x1b",
	} {
		f.Add([]byte(seed))
	}
	inFlight, seen := room.New(5000), atomic.Int64{}
	shared := newRig(f, func(o *capture.Options) {
		o.Profile, o.Room = logv1.Profile_PROFILE_OBSERVE, inFlight
		o.Observed = func(_ uint64, exchanges int) { seen.Add(int64(exchanges)) }
	})
	shared.server.LineUpWithin(0)
	next := uint64(1) // the offset that the next run begins with
	f.Fuzz(func(t *testing.T, messages []byte) {
		r := *shared
		r.t = t
		seen.Store(0)
		x := r.begin()
		for _, b := range messages[:min(len(messages), 16)] {
			if x.stream.Send(messageOf(b)) != nil {
				break // it is over
			}
		}
		if err := x.stream.CloseSend(); err != nil {
			t.Fatal(err)
		}
		if reply, err := x.stream.Recv(); !errors.Is(err, io.EOF) {
			t.Errorf("answered with %v, %v", reply, err)
		}
		if n := seen.Load(); inFlight.Taken() != 0 || n < 0 || n > 1 {
			t.Errorf("%d exchanges were counted, %d octets of room are taken for nothing", n, inFlight.Taken())
		}
		next = checkOutcomes(t, &r, next, 0)
	})
}

// sendAll sends messages, waits for the end of the stream, and returns how many clocks
// came with the replies.
func sendAll(t *testing.T, x *exchange, messages []byte) (clocks int) {
	t.Helper()
	receive := func() error {
		reply, err := x.stream.Recv()
		for _, mutation := range []*extprocv3.HeaderMutation{
			reply.GetRequestHeaders().GetResponse().GetHeaderMutation(), reply.GetRequestBody().GetResponse().GetHeaderMutation(),
		} {
			if setHeaders(mutation) != "" {
				clocks++
			}
		}
		return err
	}
	at := atRequest
	for _, b := range messages {
		if x.stream.Send(messageOf(b)) != nil {
			break // it was failed
		}
		if at = follows(at, b); at == elsewhere {
			continue
		}
		if err := receive(); err != nil {
			t.Fatalf("no reply to %q: %v", messages, err)
		}
	}
	if err := x.stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	for receive() == nil {
	}
	return clocks
}

// checkOutcomes wants each request from an offset on to have one outcome behind its
// parts, and as many requests as were given a clock. It returns what offset is next.
func checkOutcomes(t *testing.T, r *rig, from uint64, clocks int) (next uint64) {
	t.Helper()
	// Behind it is nothing of the streams that ended.
	last, err := auditlog.NewDraft(&logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Reason: "the end of a run"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.log.Append(last).Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	v, err := r.log.View()
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	open, requests := map[uint64]bool{}, 0
	var s auditlog.Summary
	for e, err := range v.Entries(t.Context(), from, v.Tip().Offset) {
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Summarize(e.Raw); err != nil {
			t.Fatal(err)
		}
		switch s.Kind {
		case auditlog.KindRequest:
			open[e.Offset] = true
			requests++
		case auditlog.KindRequestPart, auditlog.KindResponsePart, auditlog.KindResponse, auditlog.KindAbort:
			if !open[s.RequestOffset] {
				t.Errorf("the %s at %d belongs to %d, which is none or has its outcome", s.Kind, e.Offset, s.RequestOffset)
			}
			open[s.RequestOffset] = !s.Outcome()
		}
	}
	for offset, is := range open {
		if is {
			t.Errorf("request %d has no outcome", offset)
		}
	}
	if requests < clocks {
		t.Errorf("%d requests are recorded, and %d were let go with a clock", requests, clocks)
	}
	return v.Tip().Offset + 1
}
