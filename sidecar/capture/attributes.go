package capture

import (
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/structpb"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// attribute finds one of the attributes that package filter asks for. Envoy
// puts them into a struct under its filter's own name.
func attribute(attrs map[string]*structpb.Struct, name string) *structpb.Value {
	for _, s := range attrs {
		if v, ok := s.GetFields()[name]; ok {
			return v
		}
	}
	return nil
}

func text(v *structpb.Value) string {
	return strings.ToValidUTF8(v.GetStringValue(), "\uFFFD")
}

// number reads an integer attribute, which comes as a double or as text.
func number(v *structpb.Value) uint64 {
	if n, err := strconv.ParseUint(v.GetStringValue(), 10, 64); err == nil {
		return n
	}
	if f := v.GetNumberValue(); f > 0 {
		return uint64(f)
	}
	return 0
}

func (r *request) readAttributes(attrs map[string]*structpb.Struct) {
	r.protocol = text(attribute(attrs, "request.protocol"))
	r.listener = text(attribute(attrs, "destination.address"))
	peer := text(attribute(attrs, "connection.uri_san_peer_certificate"))
	if peer == "" {
		peer = text(attribute(attrs, "connection.subject_peer_certificate"))
	}
	r.attempt = number(attribute(attrs, "upstream.request_attempt_count"))
	r.source = &logv1.Source{Address: text(attribute(attrs, "source.address")), TlsPeer: peer}
}

// viaUpstream is Envoy's response code details for an answer of the upstream.
const viaUpstream = "via_upstream"

// Response flags that Envoy sets only when no upstream got the request; their
// bits are those of Envoy's StreamInfo::CoreResponseFlag.
const (
	flagNoHealthyUpstream  uint64 = 1 << 1
	flagUpstreamConnection uint64 = 1 << 5
	flagUpstreamOverflow   uint64 = 1 << 7
	flagNoRoute            uint64 = 1 << 8
	flagNoCluster          uint64 = 1 << 24

	flagsNotDelivered = flagNoHealthyUpstream | flagUpstreamConnection | flagUpstreamOverflow | flagNoRoute | flagNoCluster
)

// localReply is nil for an answer of the pipeline.
func localReply(attrs map[string]*structpb.Struct) *logv1.LocalReply {
	details := text(attribute(attrs, "response.code_details"))
	if details == viaUpstream {
		return nil
	}
	flags := number(attribute(attrs, "response.flags"))
	d := maybeDelivered
	if flags != 0 && flags&^flagsNotDelivered == 0 {
		d = notDelivered
	}
	return &logv1.LocalReply{CodeDetails: details, ResponseFlags: flags, Delivered: d}
}

// startTime is when Envoy got a request, in nanoseconds; to the millisecond of its
// clock header where the attribute is missing.
func startTime(attrs map[string]*structpb.Struct, clockMS uint64) int64 {
	at, err := time.Parse(time.RFC3339Nano, attribute(attrs, "request.time").GetStringValue())
	if err != nil {
		return int64(clockMS) * int64(time.Millisecond)
	}
	return at.UnixNano()
}
