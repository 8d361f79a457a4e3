package capture

import (
	"context"
	"net/http"
	"strings"
	"time"

	extprocfilterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
)

// upgrade is the protocol that a request asks to speak on; empty if it asks for
// none. Envoy shows HTTP/2's extended CONNECT in the same form, and keeps both
// headers for an upgrade alone.
func (r *request) upgrade() string {
	for token := range strings.SplitSeq(r.header("connection"), ",") {
		if strings.EqualFold(strings.TrimSpace(token), "upgrade") {
			return strings.ToValidUTF8(r.header("upgrade"), "\uFFFD")
		}
	}
	return ""
}

// handleUpgrade refuses a connection that is to speak another protocol, or lets
// it go and records that it went: what is spoken there is not seen.
func (x *exchange) handleUpgrade(protocol string) error {
	if x.server.PassUpgrades {
		return x.passUpgrade(protocol)
	}
	sentence := "an upgrade to " + protocol + " is refused: what it carries can't be recorded (upgrades: refuse)"
	// It has an entry all the same, and takes no turn, as it never enters the pipeline.
	if _, _, err := x.place(); err != nil {
		sentence += "; the refusal itself could not be recorded: " + x.sentence(err)
	}
	return x.refuseWith(&refusal{"upgrade", http.StatusForbidden, sentence})
}

// upgradePassed is a Gap's reason.
func upgradePassed(protocol string) string { return "an upgrade to " + protocol + " passed unrecorded" }

func (x *exchange) passUpgrade(protocol string) error {
	passing := Losses{}
	passing.AddSince("sidecar", upgradePassed(protocol), time.Now(), 1)
	err := passing.Tell(context.WithoutCancel(x.stream.Context()), x.server.Log)
	switch {
	case err != nil && !x.server.failsOpen():
		return x.refuse("not-writable", "that an upgrade passes could not be recorded: "+x.sentence(err))
	case err != nil:
		x.server.Losses.Add("sidecar", upgradePassed(protocol))
	}
	x.phase = passed
	reply := continueRequestHeaders(nil)
	reply.ModeOverride = nothingMore()
	return x.send(reply)
}

// nothingMore tells Envoy to show nothing of what follows, and to hold nothing
// for us.
func nothingMore() *extprocfilterv3.ProcessingMode {
	return &extprocfilterv3.ProcessingMode{
		RequestBodyMode:     extprocfilterv3.ProcessingMode_NONE,
		RequestTrailerMode:  extprocfilterv3.ProcessingMode_SKIP,
		ResponseHeaderMode:  extprocfilterv3.ProcessingMode_SKIP,
		ResponseBodyMode:    extprocfilterv3.ProcessingMode_NONE,
		ResponseTrailerMode: extprocfilterv3.ProcessingMode_SKIP,
	}
}
