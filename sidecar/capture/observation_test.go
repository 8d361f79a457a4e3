package capture_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/capture"
	"verbatim/sidecar/output"
	"verbatim/sidecar/room"
)

// observedRig has room for less than two bodies of the largest size.
func observedRig(t *testing.T) (*rig, *room.Room) {
	t.Helper()
	space := room.New(1500)
	r := newRig(t, func(o *capture.Options) { o.Profile, o.Room = logv1.Profile_PROFILE_OBSERVE, space })
	return r, space
}

// observed is what Envoy shows of an exchange with its own clock and seed.
func observed(end bool) *extprocv3.ProcessingRequest {
	return requestHeaders(end, "x-verbatim-clock-ms", "1772359201000", "x-verbatim-seed", "a-b-c")
}

// shape lists entries in words.
func shape(list []*logv1.Event) (words []string) {
	for _, ev := range list {
		switch k := ev.GetKind().(type) {
		case *logv1.Event_Request:
			words = append(words, fmt.Sprintf("request %d stream=%v", len(k.Request.GetBody()), k.Request.GetStream()))
		case *logv1.Event_RequestPart:
			words = append(words, fmt.Sprintf("> %d last=%v", len(k.RequestPart.GetData()), k.RequestPart.GetLast()))
		case *logv1.Event_ResponsePart:
			words = append(words, fmt.Sprintf("< head=%v %d", len(k.ResponsePart.GetHeaders()) > 0, len(k.ResponsePart.GetData())))
		case *logv1.Event_Response:
			out, err := output.Decode(k.Response.GetOutput())
			words = append(words, fmt.Sprintf("response %d stream=%d %v", len(out.GetBody()), out.GetStreamOctets(), err))
		case *logv1.Event_Abort:
			words = append(words, k.Abort.GetDelivered().String())
		case *logv1.Event_Gap:
			words = append(words, fmt.Sprintf("gap %d: %s", k.Gap.GetExchanges(), k.Gap.GetReason()))
		}
	}
	return words
}

// TestObservedExchanges: what fits is recorded whole, what is too large or comes when
// the other side has begun in parts, and what ends early as that.
func TestObservedExchanges(t *testing.T) {
	long := strings.Repeat("x", 700)
	head := responseHeaders(false, "200", "via_upstream", 0)
	leftOut := &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestHeaders{RequestHeaders: &extprocv3.HttpHeaders{
		Headers: headerMap(":method", "GET", ":path", "/healthz"), EndOfStream: true,
	}}}
	for name, c := range map[string]struct {
		shown []*extprocv3.ProcessingRequest
		want  []string
	}{
		"whole": {
			[]*extprocv3.ProcessingRequest{observed(false), requestBody(false, "he"), requestBody(true, "llo"), head, responseBody(true, "ok")},
			[]string{"request 5 stream=false", "response 2 stream=0 <nil>"},
		},
		"a large request": {
			[]*extprocv3.ProcessingRequest{observed(false), requestBody(false, long), requestBody(false, long), requestBody(true, "end"), head, responseBody(true, "ok")},
			[]string{"request 0 stream=true", "> 700 last=false", "> 700 last=false", "> 3 last=true", "< head=true 0", "< head=false 2", "response 0 stream=2 <nil>"},
		},
		"a large answer": {
			[]*extprocv3.ProcessingRequest{observed(true), head, responseBody(false, long), responseBody(false, long), responseBody(true, "end")},
			[]string{"request 0 stream=false", "< head=true 700", "< head=false 700", "< head=false 3", "response 0 stream=1403 <nil>"},
		},
		"answered before it is whole": {
			[]*extprocv3.ProcessingRequest{observed(false), requestBody(false, "first"), head, responseBody(false, "o"), requestBody(true, "second"), responseBody(true, "k")},
			[]string{"request 0 stream=true", "> 5 last=false", "< head=true 0", "< head=false 1", "> 6 last=true", "< head=false 1", "response 0 stream=2 <nil>"},
		},
		"trailers": {
			[]*extprocv3.ProcessingRequest{observed(false), requestBody(false, "b"), requestTrailers("t", "1"), head, responseBody(false, "ok"), responseTrailers("grpc-status", "0")},
			[]string{"request 1 stream=false", "> 0 last=true", "response 2 stream=0 <nil>"},
		},
		"no answer":        {[]*extprocv3.ProcessingRequest{observed(true)}, []string{"request 0 stream=false", "DELIVERED_MAYBE"}},
		"half a request":   {[]*extprocv3.ProcessingRequest{observed(false), requestBody(false, "half")}, []string{"request 0 stream=true", "> 4 last=false", "DELIVERED_MAYBE"}},
		"half an answer":   {[]*extprocv3.ProcessingRequest{observed(true), head, responseBody(false, "o")}, []string{"request 0 stream=false", "DELIVERED_MAYBE"}},
		"nothing of it":    {nil, nil},
		"an answer alone":  {[]*extprocv3.ProcessingRequest{head, responseBody(true, "ok")}, nil},
		"what is left out": {[]*extprocv3.ProcessingRequest{leftOut, head, responseBody(true, "ok")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r, space := observedRig(t)
			x := r.begin()
			for _, m := range c.shown {
				// What is left out ends the stream, and what follows may come too late.
				if err := x.stream.Send(m); err != nil && !errors.Is(err, io.EOF) {
					t.Fatal(err)
				}
			}
			x.end()
			if got := shape(r.settled()); !slices.Equal(got, c.want) {
				t.Errorf("recorded %q, want %q", got, c.want)
			}
			if n := space.Taken(); n != 0 {
				t.Errorf("%d octets stay taken", n)
			}
		})
	}
}

// settled is the log behind the genesis, with the Gaps told, when all streams are over.
func (r *rig) settled() []*logv1.Event {
	r.t.Helper()
	if err := r.losses.Tell(r.t.Context(), r.log); err != nil {
		r.t.Fatal(err)
	}
	// What is durable behind the last outcome shows that that is, too.
	r.losses.Add("sidecar", "the end of a test")
	if err := r.losses.Tell(r.t.Context(), r.log); err != nil {
		r.t.Fatal(err)
	}
	list := r.events(1)
	return list[1 : len(list)-1]
}

// TestNoRoomToObserve: what finds no room is not recorded and becomes a Gap; what it
// was recorded of already is closed as maybe delivered.
func TestNoRoomToObserve(t *testing.T) {
	const gap = "gap 1: what is held in memory reached its bound: observe"
	body := strings.Repeat("x", 900)
	head := responseHeaders(false, "200", "via_upstream", 0)
	for name, c := range map[string]struct {
		shown []*extprocv3.ProcessingRequest
		want  []string
	}{
		"a request": {
			[]*extprocv3.ProcessingRequest{observed(false), requestBody(true, body), head, responseBody(true, "ok")}, []string{gap},
		},
		"an answer": {
			[]*extprocv3.ProcessingRequest{observed(true), head, responseBody(true, body)}, []string{"request 0 stream=false", "DELIVERED_MAYBE", gap},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, space := observedRig(t)
			held, ok := space.Take(1000) // by others
			if !ok {
				t.Fatal("no room at the start")
			}
			x := r.begin()
			for _, m := range c.shown {
				x.send(m)
			}
			x.end()
			if got := shape(r.settled()); !slices.Equal(got, c.want) {
				t.Errorf("recorded %q, want %q", got, c.want)
			}
			held.Release()
			if n := space.Taken(); n != 0 {
				t.Errorf("%d octets stay taken", n)
			}
			next := r.begin()
			for _, m := range c.shown {
				next.send(m)
			}
			next.end()
			if got := shape(r.settled())[len(c.want)+1:]; len(got) != 2 || !strings.HasPrefix(got[1], "response ") {
				t.Errorf("with room again recorded %q", got)
			}
		})
	}
}

// TestWhatIsHeldTooLongIsObservedInParts: of a request that is not whole in time, and
// of an answer.
func TestWhatIsHeldTooLongIsObservedInParts(t *testing.T) {
	r, space := observedRig(t)
	x := r.begin()
	x.send(observed(false))
	x.send(requestBody(false, "first"))
	if got := shape(r.events(3)[1:]); !slices.Equal(got, []string{"request 0 stream=true", "> 5 last=false"}) {
		t.Errorf("recorded %q", got)
	}
	x.send(requestBody(true, "second"))
	x.send(responseHeaders(false, "200", "via_upstream", 0))
	x.send(responseBody(true, "ok"))
	x.end()
	y := r.begin()
	y.send(observed(true))
	y.send(responseHeaders(false, "200", "via_upstream", 0))
	y.send(responseBody(false, "o"))
	if got := shape(r.events(9)[7:]); !slices.Equal(got, []string{"request 0 stream=false", "< head=true 1"}) {
		t.Errorf("recorded %q", got)
	}
	y.send(responseBody(true, "k"))
	y.end()
	if got := shape(r.events(11)[9:]); !slices.Equal(got, []string{"< head=false 1", "response 0 stream=2 <nil>"}) {
		t.Errorf("recorded %q", got)
	}
	if n := space.Taken(); n != 0 {
		t.Errorf("%d octets stay taken", n)
	}
}

// TestObservedIsCounted: for whoever compares with Envoy's counter of what it sent to
// the pipeline, by Envoy's clock; not what Envoy answered without it.
func TestObservedIsCounted(t *testing.T) {
	counts := make(chan int, 10)
	r := newRig(t, func(o *capture.Options) {
		o.Profile = logv1.Profile_PROFILE_OBSERVE
		o.Observed = func(clockMS uint64, n int) {
			if clockMS != 1772359201000 {
				t.Errorf("clock %d", clockMS)
			}
			counts <- n
		}
	})
	for _, answer := range []*extprocv3.ProcessingRequest{
		responseHeaders(true, "200", "via_upstream", 0),
		responseHeaders(true, "503", "no_healthy_upstream", 2),
		responseHeaders(true, "504", "upstream_response_timeout", 4),
	} {
		x := r.begin()
		x.send(observed(true))
		x.send(answer)
		x.end()
	}
	close(counts)
	var got []int
	for n := range counts {
		got = append(got, n)
	}
	if !slices.Equal(got, []int{1, 1, -1, 1}) {
		t.Errorf("counted %v", got)
	}
}
