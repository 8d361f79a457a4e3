package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"verbatim/replay/target"
	"verbatim/sidecar/output"
	"verbatim/tests/oddities"
)

// startOdd is a pipeline that answers the target "/i" with odd response i.
func startOdd(t *testing.T) *wireServer {
	t.Helper()
	odd := oddities.Responses()
	return startWireServer(t, func(m wireMessage) wireAnswer {
		i, err := strconv.Atoi(strings.TrimPrefix(m.target(), "/"))
		if err != nil || i >= len(odd) {
			return wireAnswer{close: true}
		}
		return wireAnswer{raw: odd[i].Raw, close: odd[i].CloseAfter}
	})
}

// askOdd asks for odd response i through Envoy and returns what the client gets.
// It returns when no connection to the pipeline is left that is about to close.
func askOdd(t *testing.T, addr string, pipeline *wireServer, i int, odd oddities.Response) []byte {
	t.Helper()
	c := openWire(t, addr, fmt.Appendf(nil, "%s /%d HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n", odd.RequestMethod, i))
	answer, err := io.ReadAll(c)
	if err != nil {
		t.Fatalf("%s: %v", odd.Name, err)
	}
	_ = c.Close()
	if odd.CloseAfter {
		pipeline.awaitClosed(t)
	}
	return answer
}

// TestWireResponses has the pipeline answer every odd response. Recorded through
// ext_proc and read by the replay's client they are the same octets of output.
// What Envoy does not pass on whole is never recorded as the pipeline's answer.
func TestWireResponses(t *testing.T) { inPlaces(t, observing, wireResponses) }

func wireResponses(t *testing.T, p wirePlace) {
	odd := oddities.Responses()
	pipeline := startOdd(t)
	s := newSite(t, p.options(siteOptions{upstream: pipeline.addr}, "meter"))
	for i, o := range odd {
		askOdd(t, s.envoy.Addr, pipeline, i, o)
	}
	p.stop(s, len(odd))
	recorded := p.exchanges(s)
	if len(recorded) != len(odd) || len(pipeline.received()) != len(odd) {
		t.Fatalf("%d exchanges recorded, %d requests received, want %d of each", len(recorded), len(pipeline.received()), len(odd))
	}
	direct := openTarget(t, "http://"+startOdd(t).addr)
	whole := uint64(0)
	for i, o := range odd {
		if o.Whole {
			whole++
			checkOutput(t, o.Name, direct, recorded[i])
		} else if x := recorded[i]; x.abort == nil && x.response.GetLocalReply() == nil {
			t.Errorf("%s: it broke off, and is recorded as the pipeline's answer: %v", o.Name, x.response)
		}
	}
	// A request whose answer broke off may have been delivered, so it is sent
	// again and not compared. It could explain a later difference, which would be
	// CANNOT_TELL; there is none, so the verdict is VERIFIED.
	var v verdict
	s.runJSON(0, &v, "replay", "--log", s.log, "--target", "http://"+startOdd(t).addr)
	if v.Result != "VERIFIED" || v.Compared != whole || whole < 200 ||
		v.Requests != uint64(len(odd)) || v.LocalReplies+v.WithoutResponse != v.Requests-whole {
		t.Errorf("verdict %+v, %d whole responses", v, whole)
	}
}

// checkOutput compares a recorded output with the one of the same request sent
// by the replay's client.
func checkOutput(t *testing.T, name string, direct *target.Target, x *recordedExchange) {
	t.Helper()
	if x.response == nil || x.response.GetLocalReply() != nil {
		t.Errorf("%s: recorded %v and %v, want the pipeline's answer", name, x.response, x.abort)
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), wireTimeout)
	defer cancel()
	m, err := direct.Do(ctx, &target.Request{Headers: x.request.GetHeaders(), HasBody: x.request.GetHasBody()})
	if err != nil {
		t.Errorf("%s: the replay's client: %v", name, err)
		return
	}
	if recorded, err := output.Decode(x.response.GetOutput()); err == nil && len(recorded.GetStreamSha256()) > 0 {
		m.Stream = output.StreamOf(m.Body) // with trailers its end was not seen in time
	}
	want, err := output.Canonical(m, output.DefaultIgnorePolicy())
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if !bytes.Equal(want.Output, x.response.GetOutput()) {
		t.Errorf("%s: recorded output\n%.500q, from the replay's client\n%.500q", name, x.response.GetOutput(), want.Output)
	}
	if d := cmp.Diff(x.response.GetIgnoredHeaders(), want.Ignored, protocmp.Transform()); d != "" {
		t.Errorf("%s: ignored headers (-recorded +replayed):\n%s", name, d)
	}
}

func openTarget(t *testing.T, url string) *target.Target {
	t.Helper()
	o, err := target.New(url, target.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	return o
}
