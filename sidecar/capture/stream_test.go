package capture_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	filterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/capture"
	"verbatim/sidecar/output"
	"verbatim/sidecar/room"
)

func grpcHeaders(pairs ...string) *extprocv3.ProcessingRequest {
	return requestHeaders(false, append([]string{"content-type", "application/grpc+proto"}, pairs...)...)
}

// unsized begins an answer that does not say its length.
func unsized(pairs ...string) *extprocv3.ProcessingRequest {
	return answerHeaders(false, "via_upstream", 0, append([]string{":status", "200"}, pairs...)...)
}

// in says in short what an entry is.
func in(ev *logv1.Event) string {
	switch k := ev.GetKind().(type) {
	case *logv1.Event_Request:
		return fmt.Sprintf("request stream=%v", k.Request.GetStream())
	case *logv1.Event_RequestPart:
		s := fmt.Sprintf("sent %q", k.RequestPart.GetData())
		if o := k.RequestPart.GetOmitted(); o != nil {
			s += fmt.Sprintf(" omitted=%d", o.GetOctets())
		}
		return s + headersOf(k.RequestPart.GetTrailers()) + map[bool]string{true: " last"}[k.RequestPart.GetLast()]
	case *logv1.Event_ResponsePart:
		s := fmt.Sprintf("got %q", k.ResponsePart.GetData())
		if o := k.ResponsePart.GetOmitted(); o != nil {
			s += fmt.Sprintf(" omitted=%d", o.GetOctets())
		}
		return s + headersOf(k.ResponsePart.GetHeaders()) + map[bool]string{true: " turn"}[k.ResponsePart.GetTurnEnded()]
	case *logv1.Event_Response:
		out, err := output.Decode(k.Response.GetOutput())
		if err != nil {
			return err.Error()
		}
		if len(out.GetStreamSha256()) > 0 {
			return fmt.Sprintf("response stream=%d", out.GetStreamOctets())
		}
		return fmt.Sprintf("response %q", out.GetBody())
	case *logv1.Event_Abort:
		return "abort " + strings.TrimPrefix(k.Abort.GetDelivered().String(), "DELIVERED_")
	}
	return fmt.Sprintf("%T", ev.GetKind())
}

// entries are those behind the genesis, as they are now.
func (r *rig) entries() (list []string) {
	r.t.Helper()
	for _, ev := range r.events(1)[1:] {
		list = append(list, in(ev))
	}
	return list
}

func (r *rig) want(list ...string) {
	r.t.Helper()
	if got := r.entries(); strings.Join(got, "\n") != strings.Join(list, "\n") {
		r.t.Errorf("entries\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(list, "\n"))
	}
}

// wantSoon waits for as many entries.
func (r *rig) wantSoon(list ...string) {
	r.t.Helper()
	r.events(len(list) + 1)
	r.want(list...)
}

func modesOf(r *extprocv3.ProcessingResponse) string {
	m := r.GetModeOverride()
	return m.GetRequestBodyMode().String() + " " + m.GetResponseBodyMode().String()
}

// TestEachPartIsDurableBeforeItPasses asks for one reply at a time: when it comes,
// the entry is there.
func TestEachPartIsDurableBeforeItPasses(t *testing.T) {
	r := newRig(t, nil)
	x := r.begin()
	reply := x.ask(grpcHeaders("x-meter-id", "m1"))
	if got := modesOf(reply); got != "STREAMED BUFFERED" || reply.GetModeOverride().GetRequestTrailerMode() != filterv3.ProcessingMode_SEND {
		t.Errorf("modes %v", reply.GetModeOverride())
	}
	recorded := r.events(2)[1]
	if set := setHeaders(reply.GetRequestHeaders().GetResponse().GetHeaderMutation()); !strings.HasPrefix(set, fmt.Sprintf("x-verbatim-clock-ms=%d;x-verbatim-seed=", recorded.GetWallClockMs())) {
		t.Errorf("set %s", set)
	}
	if q := recorded.GetRequest(); !q.GetHasBody() || len(q.GetMeterIds()) != 1 {
		t.Errorf("request %v", q)
	}
	want := []string{"request stream=true"}
	for _, s := range []struct {
		message *extprocv3.ProcessingRequest
		entry   string
	}{
		{requestBody(false, "ask"), `sent "ask"`},
		{requestBody(false, ""), ``},
		{unsized("content-type", "application/grpc"), `got "":status=200;content-type=application/grpc;`},
		{responseBody(false, "one"), `got "one"`},
		{requestBody(false, "more"), `sent "more"`},
		{responseBody(false, ""), ``},
		{requestTrailers("t", "1"), `sent ""t=1; last`},
		{requestTrailers("t", "1"), ``},
		{requestBody(true, ""), ``},
		{responseBody(false, "two"), `got "two"`},
		{responseTrailers("grpc-status", "0"), `response stream=6`},
	} {
		reply := x.ask(s.message)
		if s.message.GetResponseHeaders() != nil && modesOf(reply) != "STREAMED STREAMED" {
			t.Errorf("modes %v", reply.GetModeOverride())
		}
		if s.entry != "" {
			want = append(want, s.entry)
		}
		r.want(want...)
	}
	out, err := output.Decode(r.events(2)[len(want)].GetResponse().GetOutput())
	if err != nil || !bytes.Equal(out.GetStreamSha256(), output.StreamOf([]byte("onetwo")).SHA256[:]) || !out.GetHasBody() || headersOf(out.GetTrailers()) != "grpc-status=0;" {
		t.Errorf("output %v, %v", out, err)
	}
	x.end()
	r.want(want...)
}

func TestAnAnswerWithoutLengthIsHeldUntilItIsWhole(t *testing.T) {
	r := newRig(t, nil)
	x := r.begin()
	x.ask(requestHeaders(true))
	if got := modesOf(x.ask(unsized())); got != "BUFFERED STREAMED" {
		t.Errorf("modes %s", got)
	}
	r.want("request stream=false", `got "":status=200;`)
	x.send(responseBody(false, "one"))
	x.send(responseBody(false, "two"))
	x.ask(responseBody(true, ""))
	r.want("request stream=false", `got "":status=200;`, `response "onetwo"`)
	x.replies(2)
	x.end()
}

// replies takes so many that are there.
func (x *exchange) replies(n int) {
	x.t.Helper()
	for range n {
		if r, err := x.stream.Recv(); err != nil || r.GetImmediateResponse() != nil {
			x.t.Fatalf("%v, %v", r, err)
		}
	}
}

func TestWhatIsHeldTooLongOrIsTooLargeComesInParts(t *testing.T) {
	full := room.New(4)
	for name, c := range map[string]struct {
		change func(*capture.Options)
		head   *extprocv3.ProcessingRequest
		chunks []string
		parts  []string
	}{
		"too long":      {func(o *capture.Options) { o.Hold = time.Millisecond }, unsized(), []string{"one", "two"}, []string{`got "one"`, `got "two"`}},
		"not at all":    {func(o *capture.Options) { o.Hold = 0 }, unsized(), []string{"one", "two"}, []string{`got "one"`, `got "two"`}},
		"too large":     {nil, unsized(), []string{strings.Repeat("x", 501), "y"}, []string{fmt.Sprintf("got %q", strings.Repeat("x", 501)), `got "y"`}},
		"no room":       {func(o *capture.Options) { o.Room = full }, unsized(), []string{"large", "two"}, []string{`got "large"`, `got "two"`}},
		"a stream":      {nil, unsized("content-type", "Text/Event-Stream; charset=utf-8"), []string{"one", "two"}, []string{`got "one"`, `got "two"`}},
		"with trailers": {nil, unsized("trailer", "x-t"), []string{"one", "two"}, []string{`got "one"`, `got "two"`}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, c.change)
			x := r.begin()
			x.ask(requestHeaders(true))
			x.ask(c.head)
			octets := 0
			for _, chunk := range c.chunks {
				x.ask(responseBody(false, chunk))
				octets += len(chunk)
			}
			x.ask(responseBody(true, ""))
			got := r.entries()
			want := append(append([]string{"request stream=false", got[1]}, c.parts...), fmt.Sprintf("response stream=%d", octets))
			r.want(want...)
			x.end()
		})
	}
	if taken := full.Taken(); taken != 0 {
		t.Errorf("%d octets of room were not given back", taken)
	}
}

func TestAStreamGivesItsTurnBackBeforeItsEnd(t *testing.T) {
	r := newRig(t, func(o *capture.Options) { o.MaxTurn = time.Millisecond })
	first, second := r.begin(), r.begin()
	first.ask(grpcHeaders("x-meter-id", "m"))
	second.ask(requestHeaders(true, "x-meter-id", "m")) // comes when the turn is free
	r.want("request stream=true", `got "" turn`, "request stream=false")
	first.ask(unsized())
	first.ask(responseBody(true, "x"))
	// A whole exchange keeps its turn, until its answer turns out to be a stream.
	second.ask(unsized("content-type", "text/event-stream"))
	third := r.begin()
	third.ask(requestHeaders(true, "x-meter-id", "m"))
	list := r.entries()
	if got := list[len(list)-2:]; got[0] != `got "" turn` || got[1] != "request stream=false" {
		t.Errorf("entries %q", list)
	}
	for _, x := range []*exchange{first, second, third} {
		x.end()
	}
}

// asking is a request for a path.
func asking(path string, pairs ...string) *extprocv3.ProcessingRequest {
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestHeaders{
		RequestHeaders: &extprocv3.HttpHeaders{Headers: headerMap(append([]string{":method", "POST", ":path", path}, pairs...)...)},
	}}
}

// TestTheAnswerToAStreamIsWholeOnceTheStreamHasEnded: before, either may wait for
// the other.
func TestTheAnswerToAStreamIsWholeOnceTheStreamHasEnded(t *testing.T) {
	for _, ended := range []bool{false, true} {
		r := newRig(t, nil)
		x := r.begin()
		if got := modesOf(x.ask(asking("/v1/upload"))); got != "STREAMED BUFFERED" {
			t.Errorf("modes %s", got)
		}
		x.ask(requestBody(ended, "abc"))
		want := map[bool]string{false: "STREAMED STREAMED", true: "STREAMED BUFFERED"}[ended]
		if got := modesOf(x.ask(unsized("content-length", "2"))); got != want {
			t.Errorf("modes %s, want %s", got, want)
		}
		x.ask(responseBody(true, "ok"))
		last := r.entries()
		if got := last[len(last)-1]; got != map[bool]string{false: "response stream=2", true: `response "ok"`}[ended] {
			t.Errorf("recorded %s", got)
		}
		x.end()
	}
}

func TestEveryEndOfAStreamClosesTheRequest(t *testing.T) {
	head := unsized("content-type", "text/event-stream")
	for name, c := range map[string]struct {
		steps []*extprocv3.ProcessingRequest
		want  []string
	}{
		"in the request":       {[]*extprocv3.ProcessingRequest{grpcHeaders(), requestBody(false, "a")}, []string{"request stream=true", `sent "a"`, "abort MAYBE"}},
		"behind the headers":   {[]*extprocv3.ProcessingRequest{grpcHeaders()}, []string{"request stream=true", "abort MAYBE"}},
		"in the answer":        {[]*extprocv3.ProcessingRequest{requestHeaders(true), head, responseBody(false, "a")}, []string{"request stream=false", `got "":status=200;content-type=text/event-stream;`, `got "a"`, "abort MAYBE"}},
		"with Envoy's own":     {[]*extprocv3.ProcessingRequest{grpcHeaders(), answerHeaders(true, "stream_timeout", 4, ":status", "504")}, []string{"request stream=true", `response ""`}},
		"before the request's": {[]*extprocv3.ProcessingRequest{grpcHeaders(), unsized(), responseBody(true, "no")}, []string{"request stream=true", `got "":status=200;`, `got "no"`, "response stream=2"}},
	} {
		for _, cancel := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, reset %v", name, cancel), func(t *testing.T) {
				r := newRig(t, nil)
				x := r.begin()
				for _, m := range c.steps {
					x.ask(m)
				}
				if cancel {
					x.cancel()
				} else {
					x.end()
				}
				r.wantSoon(c.want...)
				next := r.begin()
				next.ask(requestHeaders(true)) // the turn is free
				next.end()
			})
		}
	}
}

// TestWhatComesBehindTheAnswerDoesNotPass: it has no place in the log.
func TestWhatComesBehindTheAnswerDoesNotPass(t *testing.T) {
	r := newRig(t, nil)
	x := r.begin()
	x.ask(grpcHeaders())
	x.ask(answerHeaders(true, "via_upstream", 0, ":status", "200", "grpc-status", "3"))
	x.send(requestBody(true, "late"))
	if err := x.stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if reply, err := x.stream.Recv(); err == nil {
		t.Errorf("it passed: %v", reply)
	}
	r.want("request stream=true", `response ""`)
}

func TestWhatIsTooLargePassesByDigest(t *testing.T) {
	r := newRig(t, func(o *capture.Options) { o.Oversize = true })
	x := r.begin()
	x.ask(requestHeaders(false, "content-length", "1200"))
	x.ask(requestBody(false, strings.Repeat("a", 600)))
	r.want("request stream=true")
	x.ask(requestBody(true, strings.Repeat("b", 600)))
	r.want("request stream=true", `sent "" omitted=1200 last`)
	if got := modesOf(x.ask(unsized("content-length", "1001"))); got != "STREAMED STREAMED" {
		t.Errorf("modes %s", got)
	}
	x.ask(responseBody(false, strings.Repeat("c", 1000)))
	x.ask(responseBody(true, "d"))
	r.want("request stream=true", `sent "" omitted=1200 last`, `got "":status=200;content-length=1001;`, `got "" omitted=1001`, "response stream=1001")
	omitted := r.events(5)[4].GetResponsePart().GetOmitted()
	if want := output.StreamOf([]byte(strings.Repeat("c", 1000) + "d")); !bytes.Equal(omitted.GetSha256(), want.SHA256[:]) {
		t.Errorf("digest %x", omitted.GetSha256())
	}
	x.end()
}

// TestWhatIsNotRecordedIsNotAskedFor: it has to pass at once, whatever its length.
func TestWhatIsNotRecordedIsNotAskedFor(t *testing.T) {
	r := newRig(t, nil)
	x := r.begin()
	x.ask(healthCheck())
	if got := modesOf(x.ask(unsized())); got != "BUFFERED NONE" {
		t.Errorf("modes %s", got)
	}
	x.end()
	y := r.begin()
	if got := modesOf(y.ask(asking("/healthz", "content-type", "application/grpc"))); got != "NONE NONE" {
		t.Errorf("modes %s", got)
	}
	y.end()
}
