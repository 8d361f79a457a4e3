package capture_test

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/capture"
	"verbatim/sidecar/room"
	"verbatim/sidecar/turn"
)

const (
	fireExchanges = 16 // at one time
	fireRounds    = 20 // each
	fireMeters    = 3
)

// TestTurnsUnderFire ends exchanges at every point, many at one time. No two are
// in the pipeline together that exclude each other, and nothing stays held.
func TestTurnsUnderFire(t *testing.T) {
	for _, ordering := range []logv1.Ordering{logv1.Ordering_ORDERING_METER, logv1.Ordering_ORDERING_GLOBAL} {
		t.Run(ordering.String(), func(t *testing.T) {
			turns := turn.New(turn.Options{Ordering: ordering, MaxWaiting: 1000, MaxWait: time.Minute})
			inFlight := room.New(1 << 20)
			r := newRig(t, func(o *capture.Options) { o.Turns, o.Room = turns, inFlight })
			var inside [fireMeters]atomic.Int32
			var wg sync.WaitGroup
			for n := range fireExchanges {
				wg.Go(func() {
					for round := range fireRounds {
						r.endSomewhere(&inside[keyOf(ordering, n+round)], n+round, round)
					}
				})
			}
			wg.Wait()
			for turns.Waiting() != 0 || turns.Running() != 0 || inFlight.Taken() != 0 {
				if t.Context().Err() != nil {
					t.Fatalf("%d wait, %d run, %d octets are taken", turns.Waiting(), turns.Running(), inFlight.Taken())
				}
			}
			// What is durable behind the last outcome shows that that is, too.
			r.losses.Add("sidecar", "the end of a test")
			if err := r.losses.Tell(t.Context(), r.log); err != nil {
				t.Fatal(err)
			}
			checkTurns(t, r.events(1), ordering)
		})
	}
}

// keyOf is what an exchange excludes others by.
func keyOf(ordering logv1.Ordering, n int) int {
	if ordering == logv1.Ordering_ORDERING_GLOBAL {
		return 0
	}
	return n % fireMeters
}

// endSomewhere is one exchange of a client that may hang up at any time.
func (r *rig) endSomewhere(inside *atomic.Int32, meter, way int) {
	x := r.begin()
	defer x.cancel()
	x.send(requestHeaders(false, "x-meter-id", fmt.Sprint(meter%fireMeters)))
	if _, err := x.stream.Recv(); err != nil {
		r.t.Error(err)
		return
	}
	if way%5 == 0 {
		return // in its body
	}
	x.send(requestBody(true, "body"))
	if way%5 == 1 {
		return // while it waits for its turn, or just has it
	}
	if _, err := x.stream.Recv(); err != nil {
		r.t.Error(err)
		return
	}
	if n := inside.Add(1); n != 1 {
		r.t.Errorf("%d exchanges of one key are in the pipeline", n)
	}
	if way%5 == 2 {
		inside.Add(-1)
		return // while the pipeline works
	}
	x.send(responseHeaders(false, "200", "via_upstream", 0))
	_, err := x.stream.Recv()
	inside.Add(-1)
	x.send(responseBody(true, "answer"))
	if way%5 == 3 {
		return // while the answer is on its way
	}
	if _, again := x.stream.Recv(); err != nil || again != nil {
		r.t.Error(err, again)
	}
	if err := x.stream.CloseSend(); err != nil {
		r.t.Error(err)
	}
	if _, err := x.stream.Recv(); err != io.EOF { //nolint:errorlint // gRPC returns it bare
		r.t.Errorf("the stream ends with %v", err)
	}
}

// checkTurns requires that each request has its outcome before another of its key.
func checkTurns(t *testing.T, list []*logv1.Event, ordering logv1.Ordering) {
	t.Helper()
	key := func(q *logv1.Request) string {
		if ordering == logv1.Ordering_ORDERING_GLOBAL {
			return ""
		}
		return q.GetMeterIds()[0]
	}
	keys, open, answered := map[uint64]string{}, map[string]bool{}, 0
	for offset, ev := range list {
		switch k := ev.GetKind().(type) {
		case *logv1.Event_Request:
			name := key(k.Request)
			if open[name] {
				t.Errorf("request %d entered before the one before it had its outcome", offset)
			}
			keys[uint64(offset)], open[name] = name, true //nolint:gosec // an index
		case *logv1.Event_Response:
			open[keys[k.Response.GetRequestOffset()]] = false
			answered++
		case *logv1.Event_Abort:
			open[keys[k.Abort.GetRequestOffset()]] = false
		}
	}
	for name, is := range open {
		if is {
			t.Errorf("a request of key %q has no outcome", name)
		}
	}
	if answered < fireExchanges*fireRounds/5 {
		t.Errorf("%d answers are recorded, fewer than were given", answered)
	}
}
