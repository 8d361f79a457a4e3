package capture_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"verbatim/sidecar/capture"
)

// TestNoClientHasAnAnswerThatIsNotRecorded: an answer that says its length is whole for
// a client as soon as that is reached. So its last octets pass behind its outcome.
func TestNoClientHasAnAnswerThatIsNotRecorded(t *testing.T) {
	begun := func(head string, more ...string) []string {
		return slices.Concat([]string{"request stream=true", `sent "abc"`, `got "":status=200;content-length=4;` + head, `got "on"`, `got "ce"`}, more)
	}
	for name, c := range map[string]struct {
		change func(*capture.Options)
		head   []string
		held   bool // the last octets wait
		end    *extprocv3.ProcessingRequest
		want   []string
	}{
		"its end comes":              {nil, nil, true, responseBody(true, ""), begun("", `sent "def"`, "response stream=4")},
		"trailers come all the same": {func(o *capture.Options) { o.Hold = time.Millisecond }, nil, false, responseTrailers("x-sum", "1"), begun("", "response stream=4")},
		"trailers are announced":     {nil, []string{"trailer", "x-sum"}, false, responseTrailers("x-sum", "1"), begun("trailer=x-sum;", "response stream=4")},
		"nothing is held":            {func(o *capture.Options) { o.Hold = 0 }, nil, false, responseBody(true, ""), begun("", "response stream=4")},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, c.change)
			x := r.begin()
			x.ask(asking("/v1/upload"))
			x.ask(requestBody(false, "abc"))
			x.ask(unsized(append([]string{"content-length", "4"}, c.head...)...))
			x.ask(responseBody(false, "on"))
			if !c.held {
				x.ask(responseBody(false, "ce"))
			} else {
				x.send(responseBody(false, "ce"))
				x.send(responseBody(false, ""))
				if next := x.ask(requestBody(false, "def")); next.GetRequestBody() == nil {
					t.Errorf("the last octets passed: %v", next)
				}
			}
			x.ask(c.end)
			r.want(c.want...)
			if c.held {
				x.replies(2)
			}
			x.end()
		})
	}
}

// TestAClientThatLeavesBeforeTheEndIsSeen did not get the last octets.
func TestAClientThatLeavesBeforeTheEndIsSeen(t *testing.T) {
	r := newRig(t, func(o *capture.Options) { o.Oversize = true })
	x := r.begin()
	x.ask(requestHeaders(true))
	x.ask(unsized("content-length", "1001"))
	x.ask(responseBody(false, strings.Repeat("c", 1000)))
	x.send(responseBody(false, "d"))
	x.cancel()
	r.wantSoon("request stream=false", `got "":status=200;content-length=1001;`, "abort MAYBE")
}
