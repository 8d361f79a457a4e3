package capture_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/capture"
)

// spyClock notes what it is set to.
type spyClock struct {
	set   []string
	fails error
}

func (c *spyClock) Set(ms uint64) error {
	c.set = append(c.set, strconv.FormatUint(ms, 10))
	return c.fails
}

// TestTheClockIsSetBeforeARequestIsLetThrough: to the same time as the header.
func TestTheClockIsSetBeforeARequestIsLetThrough(t *testing.T) {
	clock := &spyClock{}
	r := newRig(t, func(o *capture.Options) { o.Clock = clock })
	x := r.begin()
	x.ask(requestHeaders(false))
	if len(clock.set) > 0 {
		t.Errorf("set to %v before the request was whole", clock.set)
	}
	told := setHeaders(x.ask(requestBody(true, "a")).GetRequestBody().GetResponse().GetHeaderMutation())
	if len(clock.set) != 1 || !strings.Contains(told, "x-verbatim-clock-ms="+clock.set[0]) {
		t.Errorf("the clock was set to %v, the headers to %q", clock.set, told)
	}
	x.end()
	skipped := r.begin()
	skipped.ask(healthCheck())
	skipped.end()
	if len(clock.set) != 1 {
		t.Errorf("what is not recorded set the clock: %v", clock.set)
	}
}

// TestARequestThatCannotBeGivenItsTimeIsRefused, and recorded as never let through.
func TestARequestThatCannotBeGivenItsTimeIsRefused(t *testing.T) {
	r := newRig(t, func(o *capture.Options) { o.Clock = &spyClock{fails: errors.New("/secret/path: no space left")} })
	x := r.begin()
	reply := x.ask(requestHeaders(true))
	refused(t, reply, "clock")
	if body := string(reply.GetImmediateResponse().GetBody()); strings.Contains(body, "secret") {
		t.Errorf("the client is told %q", body)
	}
	x.end()
	list := r.events(3)
	if abort := list[2].GetAbort(); abort.GetDelivered() != logv1.Delivered_DELIVERED_NO || abort.GetRequestOffset() != 1 {
		t.Errorf("recorded %v", list[2])
	}
}
