package capture_test

import (
	"fmt"
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/capture"
	"verbatim/sidecar/output"
)

// headersOf lists a request's headers as text.
func headersOf(list []*logv1.Header) string {
	var b strings.Builder
	for _, h := range list {
		fmt.Fprintf(&b, "%s=%s;", h.GetName(), h.GetValue())
	}
	return b.String()
}

func setHeaders(m *extprocv3.HeaderMutation) string {
	var b strings.Builder
	for _, h := range m.GetSetHeaders() {
		if h.GetAppendAction() != corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD {
			b.WriteString("appended:")
		}
		fmt.Fprintf(&b, "%s=%s;", h.GetHeader().GetKey(), h.GetHeader().GetRawValue())
	}
	return b.String()
}

func TestAWholeExchangeIsTwoEntries(t *testing.T) {
	r := newRig(t, nil)
	x := r.begin()
	x.ask(requestHeaders(false, "x-verbatim-seed", "the client's own", "x-meter-id", "m1"))
	reply := x.ask(requestBody(true, `{"kwh":1}`))
	mutation := reply.GetRequestBody().GetResponse().GetHeaderMutation()
	recorded := r.events(2)[1]
	want := fmt.Sprintf("x-verbatim-clock-ms=%d;", recorded.GetWallClockMs())
	got := headersOf(recorded.GetRequest().GetHeaders())
	if !strings.HasPrefix(setHeaders(mutation), want) || !strings.HasSuffix(got, ";"+setHeaders(mutation)) {
		t.Errorf("told Envoy %s\nrecorded  %s\nwant %s", setHeaders(mutation), got, want)
	}
	if strings.Contains(got, "the client's own") || len(mutation.GetRemoveHeaders()) != 2 {
		t.Errorf("the client's own seed stays: %s, removed %v", got, mutation.GetRemoveHeaders())
	}
	if ids := recorded.GetRequest().GetMeterIds(); len(ids) != 1 || ids[0] != "m1" {
		t.Errorf("meter ids %v", ids)
	}
	x.ask(responseHeaders(false, "200", "via_upstream", 0))
	x.ask(responseBody(true, "ok"))
	response := r.events(3)[2].GetResponse()
	out, err := output.Decode(response.GetOutput())
	if err != nil || out.GetStatus() != 200 || string(out.GetBody()) != "ok" || headersOf(out.GetHeaders()) != "x=1;content-length=2;" {
		t.Errorf("output %v, %v", out, err)
	}
	if response.GetRequestOffset() != 1 || response.GetUpstreamAddress() != "10.0.0.1:80" || response.GetLocalReply() != nil {
		t.Errorf("response %v", response)
	}
	x.ask(responseBody(true, "again")) // an end can be repeated
	x.end()
	if n := len(r.events(3)); n != 3 {
		t.Errorf("%d entries, want 3", n)
	}
}

// What the router removes is in force, and not recorded: the pipeline does not get it.
// Behind the router it is the router's own, and the pipeline does.
func TestHeadersForTheRouterAreNotRecorded(t *testing.T) {
	for _, profile := range []logv1.Profile{logv1.Profile_PROFILE_STRICT, logv1.Profile_PROFILE_OBSERVE} {
		for position, want := range map[logv1.Position]string{
			logv1.Position_POSITION_DOWNSTREAM: ":method=POST;:path=/v1/readings;x-a=1;x-envoy-internal=true;x-verbatim-clock-ms=",
			logv1.Position_POSITION_UPSTREAM: ":method=POST;:path=/v1/readings;x-envoy-retry-on=5xx;x-a=1;x-envoy-upstream-rq-timeout-ms=5;" +
				"x-envoy-internal=true;x-verbatim-clock-ms=",
		} {
			t.Run(profile.String()+" "+position.String(), func(t *testing.T) {
				r := newRig(t, func(o *capture.Options) { o.Profile, o.Position = profile, position })
				x := r.begin()
				list := []string{"x-envoy-retry-on", "5xx", "x-a", "1", "x-envoy-upstream-rq-timeout-ms", "5", "x-envoy-internal", "true"}
				if profile == logv1.Profile_PROFILE_OBSERVE {
					x.send(requestHeaders(true, append(list, "x-verbatim-clock-ms", "1", "x-verbatim-seed", "2")...))
				} else if m := x.ask(requestHeaders(true, list...)).GetRequestHeaders().GetResponse().GetHeaderMutation(); len(m.GetRemoveHeaders()) != 0 {
					t.Errorf("Envoy is told to remove %v", m.GetRemoveHeaders())
				}
				if got := headersOf(r.events(2)[1].GetRequest().GetHeaders()); !strings.HasPrefix(got, want) {
					t.Errorf("recorded %s", got)
				}
				x.end()
			})
		}
	}
}

func TestTrailersAreDurableBeforeTheyPass(t *testing.T) {
	r := newRig(t, nil)
	x := r.begin()
	x.ask(requestHeaders(false))
	x.ask(requestBody(false, "body"))
	if req := r.events(2)[1].GetRequest(); !req.GetTrailersFollow() || string(req.GetBody()) != "body" {
		t.Errorf("request %v", req)
	}
	x.ask(requestTrailers("t", "1"))
	part := r.events(3)[2].GetRequestPart()
	if part.GetRequestOffset() != 1 || headersOf(part.GetTrailers()) != "t=1;" || !part.GetLast() {
		t.Errorf("part %v", part)
	}
	x.ask(responseHeaders(false, "200", "via_upstream", 0))
	x.ask(responseBody(false, "answer"))
	if n := len(r.events(3)); n != 3 {
		t.Errorf("an answer was recorded before its trailers: %d entries", n)
	}
	x.ask(responseTrailers("grpc-status", "0"))
	out, err := output.Decode(r.events(4)[3].GetResponse().GetOutput())
	if err != nil || headersOf(out.GetTrailers()) != "grpc-status=0;" {
		t.Errorf("output %v, %v", out, err)
	}
	x.end()
}

func TestEveryEndClosesTheRequest(t *testing.T) {
	for name, c := range map[string]struct {
		steps     []*extprocv3.ProcessingRequest
		cancel    bool
		entries   int
		delivered logv1.Delivered
	}{
		"nothing sent":           {nil, false, 1, 0},
		"headers alone":          {[]*extprocv3.ProcessingRequest{requestHeaders(false)}, false, 1, 0},
		"headers alone, reset":   {[]*extprocv3.ProcessingRequest{requestHeaders(false)}, true, 1, 0},
		"whole request":          {[]*extprocv3.ProcessingRequest{requestHeaders(true)}, false, 3, logv1.Delivered_DELIVERED_MAYBE},
		"whole request, reset":   {[]*extprocv3.ProcessingRequest{requestHeaders(true)}, true, 3, logv1.Delivered_DELIVERED_MAYBE},
		"trailers never came":    {[]*extprocv3.ProcessingRequest{requestHeaders(false), requestBody(false, "b")}, false, 3, logv1.Delivered_DELIVERED_NO},
		"answer's headers alone": {[]*extprocv3.ProcessingRequest{requestHeaders(true), responseHeaders(false, "200", "via_upstream", 0)}, false, 3, logv1.Delivered_DELIVERED_MAYBE},
		"answer's trailers missing": {[]*extprocv3.ProcessingRequest{requestHeaders(true), responseHeaders(false, "200", "via_upstream", 0), responseBody(false, "b")},
			true, 3, logv1.Delivered_DELIVERED_MAYBE},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			x := r.begin()
			for _, m := range c.steps {
				x.ask(m)
			}
			if c.cancel {
				x.cancel()
			}
			if !c.cancel {
				x.end()
			}
			list := r.events(c.entries)
			if len(list) != c.entries {
				t.Fatalf("%d entries, want %d", len(list), c.entries)
			}
			if got := list[len(list)-1].GetAbort().GetDelivered(); got != c.delivered {
				t.Errorf("delivered %s, want %s", got, c.delivered)
			}
			// The turn is free again: the same meter enters at once.
			next := r.begin()
			next.ask(requestHeaders(true))
			next.end()
		})
	}
}

func TestEnvoysOwnAnswersAreToldApart(t *testing.T) {
	for name, c := range map[string]struct {
		details   string
		flags     float64
		delivered logv1.Delivered
	}{
		"no healthy upstream": {"no_healthy_upstream", 1 << 1, logv1.Delivered_DELIVERED_NO},
		"connection refused":  {"upstream_reset_before_response_started{connection_failure}", 1 << 5, logv1.Delivered_DELIVERED_NO},
		"timeout":             {"response_timeout", 1 << 2, logv1.Delivered_DELIVERED_MAYBE},
		"reset":               {"upstream_reset_before_response_started", 1 << 4, logv1.Delivered_DELIVERED_MAYBE},
		"refused and reset":   {"x", 1<<5 | 1<<4, logv1.Delivered_DELIVERED_MAYBE},
		"nothing known":       {"", 0, logv1.Delivered_DELIVERED_MAYBE},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			x := r.begin()
			x.ask(requestHeaders(true))
			x.ask(responseHeaders(true, "503", c.details, c.flags))
			local := r.events(3)[2].GetResponse().GetLocalReply()
			if local == nil || local.GetDelivered() != c.delivered || local.GetCodeDetails() != c.details {
				t.Errorf("local reply %v", local)
			}
			x.end()
		})
	}
}

func TestWhatIsNotRecordedIsRefusedOrCounted(t *testing.T) {
	t.Run("skipped", func(t *testing.T) {
		r := newRig(t, nil)
		x := r.begin()
		x.ask(healthCheck())
		x.ask(responseHeaders(true, "200", "via_upstream", 0))
		x.end()
		if n := len(r.events(1)); n != 1 {
			t.Errorf("%d entries", n)
		}
	})
	t.Run("too large", func(t *testing.T) {
		r := newRig(t, nil)
		x := r.begin()
		x.ask(requestHeaders(false))
		refusedWith(t, x.ask(requestBody(true, strings.Repeat("x", 1001))), 413, "max_event_bytes")
		x.end()
	})
	t.Run("replayed", func(t *testing.T) {
		r := newRig(t, func(o *capture.Options) {
			o.Replayed = func(clock, seed uint64) (bool, error) {
				if seed == 9 {
					return false, auditlog.ErrNotWritable
				}
				return clock == 5 && seed == 6, nil
			}
		})
		x := r.begin()
		refused(t, x.ask(requestHeaders(true, "x-verbatim-clock-ms", "5", "x-verbatim-seed", "6")), "leads back")
		x.end()
		z := r.begin()
		refused(t, z.ask(requestHeaders(true, "x-verbatim-clock-ms", "5", "x-verbatim-seed", "9")), "could not be found out")
		z.end()
		y := r.begin()
		if y.ask(requestHeaders(true, "x-verbatim-clock-ms", "5", "x-verbatim-seed", "7")).GetRequestHeaders() == nil {
			t.Error("another seed is refused")
		}
		y.end()
	})
	t.Run("begins with the response", func(t *testing.T) {
		r := newRig(t, nil)
		x := r.begin()
		x.send(&extprocv3.ProcessingRequest{}) // no oneof: no reply
		if x.ask(responseHeaders(true, "404", "route_not_found", 1<<8)).GetResponseHeaders() == nil {
			t.Error("Envoy's own answer is held up")
		}
		x.end()
		if n := len(r.events(1)); n != 1 {
			t.Errorf("%d entries", n)
		}
	})
}

func healthCheck() *extprocv3.ProcessingRequest {
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestHeaders{
		RequestHeaders: &extprocv3.HttpHeaders{Headers: headerMap(":method", "GET", ":path", "/healthz"), EndOfStream: true},
	}}
}

func refused(t *testing.T, reply *extprocv3.ProcessingResponse, word string) {
	t.Helper()
	refusedWith(t, reply, 503, word)
}

func refusedWith(t *testing.T, reply *extprocv3.ProcessingResponse, status int, word string) {
	t.Helper()
	im := reply.GetImmediateResponse()
	if int(im.GetStatus().GetCode()) != status || !strings.Contains(string(im.GetBody()), word) {
		t.Errorf("reply %v, want a %d that says %q", reply, status, word)
	}
}

func TestOneEventAMeterAtATime(t *testing.T) {
	r := newRig(t, nil)
	first, second, other := r.begin(), r.begin(), r.begin()
	first.ask(requestHeaders(true, "x-meter-id", "m"))
	second.send(requestHeaders(true, "x-meter-id", "m"))
	other.ask(requestHeaders(true, "x-meter-id", "n")) // not held up
	if n := len(r.events(3)); n != 3 {
		t.Errorf("%d entries: the second event of a meter entered beside the first", n)
	}
	first.ask(responseHeaders(true, "200", "via_upstream", 0))
	if _, err := second.stream.Recv(); err != nil {
		t.Fatal(err)
	}
	list := r.events(5)
	if list[3].GetResponse().GetRequestOffset() != 1 || list[4].GetRequest() == nil {
		t.Errorf("order: %v, %v", list[3], list[4])
	}
	gone := r.begin()
	gone.send(requestHeaders(true, "x-meter-id", "m"))
	gone.cancel() // a client that hangs up while it waits
	second.end()
	third := r.begin()
	third.ask(requestHeaders(true, "x-meter-id", "m"))
	third.end()
	other.end()
	first.end()
}

func TestALogThatIsClosedRefusesOrFailsOpen(t *testing.T) {
	for _, open := range []bool{false, true} {
		t.Run(fmt.Sprintf("fail open %v", open), func(t *testing.T) {
			r := newRig(t, func(o *capture.Options) {
				if open {
					o.Profile = logv1.Profile_PROFILE_FAIL_OPEN
				}
			})
			if err := r.log.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			x := r.begin()
			reply := x.ask(requestHeaders(true))
			if open && reply.GetRequestHeaders() == nil {
				t.Errorf("not let through: %v", reply)
			}
			if !open {
				refused(t, reply, "could not be recorded")
			}
			x.end()
		})
	}
}
