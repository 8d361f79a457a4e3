package auditlog

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/chain"
)

// ClockDigits is how many decimal digits a clock in milliseconds has, from
// September 2001 to November 2286.
const ClockDigits = 13

// Draft is an event that has everything but its place in the chain and its
// clock. The log owns the slices from Append on.
type Draft struct {
	Kind Kind
	// Event is a serialized logv1.Event without wall_clock_ms.
	Event []byte
	// ClockAt is where in Event the clock's ClockDigits decimal digits go, so
	// that the pipeline's header and the entry hold the same clock; 0: nowhere.
	ClockAt int
	// MeterIDs of a Request, for the index.
	MeterIDs []string
	// RequestOffset of an outcome or a part.
	RequestOffset uint64
	// OutputHash of a Response: SHA-256 of its output.
	OutputHash chain.Hash
	// Status of a Response, for the index: OutputStatus of its output.
	Status uint32
}

// NewDraft serializes an event. Its wall clock is set by the log.
func NewDraft(ev *logv1.Event) (Draft, error) {
	ev.WallClockMs = 0
	d := describe(ev)
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(ev)
	if err != nil {
		return Draft{}, fmt.Errorf("serialize %s event: %w", d.Kind, err)
	}
	d.Event = raw
	return d, nil
}

// describe fills in what the log has to know of an event.
func describe(ev *logv1.Event) Draft {
	switch k := ev.GetKind().(type) {
	case *logv1.Event_Genesis:
		return Draft{Kind: KindGenesis}
	case *logv1.Event_Start:
		return Draft{Kind: KindStart}
	case *logv1.Event_Request:
		return Draft{Kind: KindRequest, MeterIDs: k.Request.GetMeterIds()}
	case *logv1.Event_Response:
		return Draft{
			Kind: KindResponse, RequestOffset: k.Response.GetRequestOffset(),
			OutputHash: chain.EventHash(k.Response.GetOutput()), Status: OutputStatus(k.Response.GetOutput()),
		}
	case *logv1.Event_RequestPart:
		return Draft{Kind: KindRequestPart, RequestOffset: k.RequestPart.GetRequestOffset()}
	case *logv1.Event_ResponsePart:
		return Draft{Kind: KindResponsePart, RequestOffset: k.ResponsePart.GetRequestOffset()}
	case *logv1.Event_Abort:
		return Draft{Kind: KindAbort, RequestOffset: k.Abort.GetRequestOffset()}
	case *logv1.Event_Gap:
		return Draft{Kind: KindGap}
	case *logv1.Event_Checkpoint:
		return Draft{Kind: KindCheckpoint}
	case *logv1.Event_Prune:
		return Draft{Kind: KindPrune}
	}
	return Draft{}
}

// outcome says whether the draft ends its request.
func (d Draft) outcome() bool { return d.Kind == KindResponse || d.Kind == KindAbort }

// stamp writes the clock into the draft's bytes and returns the raw event.
func (d Draft) stamp(clockMS uint64) ([]byte, error) {
	if d.ClockAt > 0 {
		digits := fmt.Appendf(nil, "%0*d", ClockDigits, clockMS)
		if len(digits) != ClockDigits || d.ClockAt+ClockDigits > len(d.Event) {
			return nil, fmt.Errorf("stamp %s event: clock %d does not fit at byte %d", d.Kind, clockMS, d.ClockAt)
		}
		copy(d.Event[d.ClockAt:], digits)
	}
	raw := protowire.AppendTag(d.Event, fieldWallClock, protowire.VarintType)
	return protowire.AppendVarint(raw, clockMS), nil
}
