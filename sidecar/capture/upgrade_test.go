package capture_test

import (
	"strings"
	"testing"

	extprocfilterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/capture"
)

func TestAnUpgradeIsRefusedAndRecorded(t *testing.T) {
	r := newRig(t, nil)
	x := r.begin()
	reply := x.ask(requestHeaders(false, "connection", "keep-alive, Upgrade", "upgrade", "websocket"))
	refusedWith(t, reply, 403, "an upgrade to websocket is refused")
	x.end()
	list := r.events(3)
	abort := list[2].GetAbort()
	if list[1].GetRequest() == nil || abort.GetDelivered() != logv1.Delivered_DELIVERED_NO ||
		abort.GetCause() != logv1.AbortCause_ABORT_CAUSE_REFUSED || !strings.Contains(abort.GetReason(), "an upgrade to websocket") {
		t.Errorf("recorded %v, %v", list[1], abort)
	}
}

func TestAnUpgradeThatPassesIsAGap(t *testing.T) {
	r := newRig(t, func(o *capture.Options) { o.PassUpgrades = true })
	x := r.begin()
	reply := x.ask(requestHeaders(false, "connection", "upgrade", "upgrade", "websocket"))
	// It is durable by now.
	gap := r.events(2)[1].GetGap()
	if gap.GetExchanges() != 1 || gap.GetWitness() != "sidecar" || gap.GetReason() != "an upgrade to websocket passed unrecorded" {
		t.Errorf("gap %v", gap)
	}
	mode := reply.GetModeOverride()
	if reply.GetRequestHeaders() == nil || mode.GetRequestBodyMode() != extprocfilterv3.ProcessingMode_NONE ||
		mode.GetResponseHeaderMode() != extprocfilterv3.ProcessingMode_SKIP || mode.GetResponseBodyMode() != extprocfilterv3.ProcessingMode_NONE {
		t.Errorf("reply %v", reply)
	}
	x.end()
	if n := len(r.events(2)); n != 2 {
		t.Errorf("%d entries, want 2", n)
	}
}

func TestAnUpgradeThatCannotBeRecordedDoesNotPass(t *testing.T) {
	r := newRig(t, func(o *capture.Options) { o.PassUpgrades = true })
	if err := r.log.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	x := r.begin()
	refused(t, x.ask(requestHeaders(false, "connection", "upgrade", "upgrade", "websocket")), "could not be recorded")
	x.end()
}

// TestAnUpgradeHeaderAloneIsNone: without the option in connection it is a header
// like others.
func TestAnUpgradeHeaderAloneIsNone(t *testing.T) {
	r := newRig(t, nil)
	x := r.begin()
	if reply := x.ask(requestHeaders(true, "upgrade", "websocket")); reply.GetRequestHeaders() == nil {
		t.Errorf("reply %v", reply)
	}
	x.end()
}
