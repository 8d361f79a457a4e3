package main

import (
	"fmt"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/output"
)

// what is an event in a few words.
func what(ev *logv1.Event) string {
	switch k := ev.GetKind().(type) {
	case *logv1.Event_Genesis:
		return fmt.Sprintf("log %x, version %d", k.Genesis.GetLogId(), k.Genesis.GetFormatVersion())
	case *logv1.Event_Start:
		return fmt.Sprintf("ordering %v, profile %v", enumJSON(k.Start.GetOrdering().Descriptor(), k.Start.GetOrdering().Number()),
			enumJSON(k.Start.GetProfile().Descriptor(), k.Start.GetProfile().Number()))
	case *logv1.Event_Request:
		return fmt.Sprintf("%s %s, %s", pseudo(k.Request, ":method"), pseudo(k.Request, ":path"), whatBody(k.Request))
	case *logv1.Event_Response:
		return whatResponse(k.Response)
	case *logv1.Event_RequestPart:
		return whatRequestPart(k.RequestPart)
	case *logv1.Event_ResponsePart:
		return whatResponsePart(k.ResponsePart)
	case *logv1.Event_Abort:
		return whatAbort(k.Abort)
	case *logv1.Event_Gap:
		return fmt.Sprintf("%d exchanges passed unrecorded: %s", k.Gap.GetExchanges(), k.Gap.GetReason())
	case *logv1.Event_Checkpoint:
		return fmt.Sprintf("%d seals %d to %d, %d outputs", k.Checkpoint.GetCheckpointId(), k.Checkpoint.GetFirstOffset(),
			k.Checkpoint.GetLastOffset(), k.Checkpoint.GetOutputCount())
	case *logv1.Event_Prune:
		return fmt.Sprintf("deletes %d to %d", k.Prune.GetFirstOffset(), k.Prune.GetLastOffset())
	}
	return ""
}

func whatAbort(a *logv1.Abort) string {
	cause := ""
	if a.GetCause() != logv1.AbortCause_ABORT_CAUSE_UNSPECIFIED {
		cause = fmt.Sprintf(", cause %v", enumJSON(a.GetCause().Descriptor(), a.GetCause().Number()))
	}
	return fmt.Sprintf("of %d, delivered %v%s: %s", a.GetRequestOffset(),
		enumJSON(a.GetDelivered().Descriptor(), a.GetDelivered().Number()), cause, a.GetReason())
}

func whatResponse(r *logv1.Response) string {
	out, err := output.Decode(r.GetOutput())
	if err != nil {
		return fmt.Sprintf("to %d, unreadable", r.GetRequestOffset())
	}
	by := ""
	if r.GetLocalReply() != nil {
		by = ", by Envoy itself"
	}
	octets := uint64(len(out.GetBody())) + out.GetStreamOctets()
	return fmt.Sprintf("to %d, status %d, %d octets%s", r.GetRequestOffset(), out.GetStatus(), octets, by)
}

func pseudo(r *logv1.Request, name string) string {
	for _, h := range r.GetHeaders() {
		if string(h.GetName()) == name {
			return string(h.GetValue())
		}
	}
	return "?"
}
