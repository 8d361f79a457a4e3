package capture

import (
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
)

// Field numbers of logv1.Request and logv1.Header.
const (
	fieldMeterIDs       protowire.Number = 1
	fieldHeaders        protowire.Number = 2
	fieldHasBody        protowire.Number = 3
	fieldBody           protowire.Number = 4
	fieldTrailersFollow protowire.Number = 6
	fieldProtocol       protowire.Number = 7
	fieldSource         protowire.Number = 8
	fieldStream         protowire.Number = 9

	fieldName  protowire.Number = 1
	fieldValue protowire.Number = 2
)

// stampRoom is for the wall clock that the log appends.
const stampRoom = 16

// draft serializes a Request event by hand: the log writes the clock into the
// finished bytes, so its place in them must be known, and a large body is copied
// once only. The clock and seed headers stand last, as Envoy puts them.
func (r *request) draft(clockHeader, seedHeader string) auditlog.Draft {
	source, err := proto.Marshal(r.source)
	if err != nil {
		source = nil // two strings of valid UTF-8: it can't fail
	}
	seed := strconv.FormatUint(r.seed, 10)
	size := r.size(len(source), clockHeader, seedHeader, seed)
	b := make([]byte, 0, size+stampRoom)
	b = protowire.AppendTag(b, protowire.Number(auditlog.KindRequest), protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(size))
	for _, id := range r.meterIDs {
		b = protowire.AppendString(protowire.AppendTag(b, fieldMeterIDs, protowire.BytesType), id)
	}
	for _, h := range r.headers {
		b = appendHeader(b, string(h.GetName()), h.GetValue())
	}
	b = appendHeader(b, clockHeader, make([]byte, auditlog.ClockDigits))
	clockAt := len(b) - auditlog.ClockDigits
	b = appendHeader(b, seedHeader, []byte(seed))
	b = appendBool(b, fieldHasBody, r.hasBody)
	if len(r.body) > 0 {
		b = protowire.AppendBytes(protowire.AppendTag(b, fieldBody, protowire.BytesType), r.body)
	}
	b = appendBool(b, fieldTrailersFollow, r.trailersFollow)
	if r.protocol != "" {
		b = protowire.AppendString(protowire.AppendTag(b, fieldProtocol, protowire.BytesType), r.protocol)
	}
	b = protowire.AppendBytes(protowire.AppendTag(b, fieldSource, protowire.BytesType), source)
	b = appendBool(b, fieldStream, r.stream)
	return auditlog.Draft{Kind: auditlog.KindRequest, Event: b, ClockAt: clockAt, MeterIDs: r.meterIDs}
}

// size is the length of the serialized Request message.
func (r *request) size(source int, clockHeader, seedHeader, seed string) int {
	n := 0
	for _, id := range r.meterIDs {
		n += fieldSize(len(id))
	}
	for _, h := range r.headers {
		n += fieldSize(headerSize(len(h.GetName()), len(h.GetValue())))
	}
	n += fieldSize(headerSize(len(clockHeader), auditlog.ClockDigits))
	n += fieldSize(headerSize(len(seedHeader), len(seed)))
	if r.hasBody {
		n += 2
	}
	if len(r.body) > 0 {
		n += fieldSize(len(r.body))
	}
	if r.trailersFollow {
		n += 2
	}
	if r.stream {
		n += 2
	}
	if r.protocol != "" {
		n += fieldSize(len(r.protocol))
	}
	return n + fieldSize(source)
}

// fieldSize is a length-delimited field's, with a tag of one byte.
func fieldSize(n int) int { return 1 + protowire.SizeBytes(n) }

func headerSize(name, value int) int { return fieldSize(name) + fieldSize(value) }

func appendHeader(b []byte, name string, value []byte) []byte {
	b = protowire.AppendTag(b, fieldHeaders, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(headerSize(len(name), len(value))))
	b = protowire.AppendString(protowire.AppendTag(b, fieldName, protowire.BytesType), name)
	return protowire.AppendBytes(protowire.AppendTag(b, fieldValue, protowire.BytesType), value)
}

func appendBool(b []byte, field protowire.Number, v bool) []byte {
	if !v {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), 1)
}

// delivery says whether the pipeline may have got a request.
type delivery = logv1.Delivered

const (
	notDelivered   = logv1.Delivered_DELIVERED_NO
	maybeDelivered = logv1.Delivered_DELIVERED_MAYBE
)

func abortEvent(request uint64, d delivery, cause logv1.AbortCause, reason string) *logv1.Event {
	return &logv1.Event{Kind: &logv1.Event_Abort{Abort: &logv1.Abort{RequestOffset: request, Delivered: d, Cause: cause, Reason: reason}}}
}
