package auditlog

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// Summary is what the chain, its footers and the indexes need of an event. Its
// slices are parts of the raw bytes.
type Summary struct {
	Kind    Kind
	ClockMS uint64
	// Meters of a Request.
	Meters [][]byte
	// RequestOffset of an outcome or a part.
	RequestOffset uint64
	// Output of a Response, and the status in it; 0 if it can't be read.
	Output []byte
	Status uint32
	// Spans: something was taken out of the body of a Response.
	Spans bool
}

// Outcome says whether the event ends its request.
func (s *Summary) Outcome() bool { return s.Kind == KindResponse || s.Kind == KindAbort }

// Numbers of the fields that a summary reads.
const (
	fieldMeterIDs      protowire.Number = 1 // of Request
	fieldRequestOffset protowire.Number = 1 // of Response, Abort and parts
	fieldOutput        protowire.Number = 2 // of Response
	fieldIgnoredSpans  protowire.Number = 4 // of Response
)

var errMeterID = errors.New("a meter id is not UTF-8")

// Summarize reads a summary without decoding the event. It fails for what is no
// protobuf message down to the fields of the event itself; it does not look into
// headers, nor does it refuse an output that is none. s is overwritten; its Meters are used again.
func (s *Summary) Summarize(raw []byte) error {
	*s = Summary{Meters: s.Meters[:0]}
	var event []byte
	for len(raw) > 0 {
		num, number, value, rest, err := nextField(raw)
		switch {
		case err != nil:
			return fmt.Errorf("read event: %w", err)
		case num == fieldWallClock && value == nil:
			s.ClockMS = number
		case value == nil || Kind(num) < KindGenesis || Kind(num) > KindPrune:
		case s.Kind == Kind(num):
			event = slices.Concat(event, value) // protobuf merges them
		default:
			s.Kind, event = Kind(num), value
		}
		raw = rest
	}
	for len(event) > 0 {
		num, number, value, rest, err := nextField(event)
		if err == nil {
			err = s.field(num, number, value)
		}
		if err != nil {
			return fmt.Errorf("read event: %w", err)
		}
		event = rest
	}
	return nil
}

// field takes one field of the event's kind.
func (s *Summary) field(num protowire.Number, number uint64, value []byte) error {
	switch s.Kind {
	case KindRequest:
		if num == fieldMeterIDs && value != nil {
			if !utf8.Valid(value) {
				return errMeterID
			}
			s.Meters = append(s.Meters, value)
		}
	case KindResponse, KindAbort, KindRequestPart, KindResponsePart:
		if num == fieldRequestOffset && value == nil {
			s.RequestOffset = number
		}
		if s.Kind == KindResponse && num == fieldOutput && value != nil {
			s.Output, s.Status = value, OutputStatus(value)
		}
		s.Spans = s.Spans || s.Kind == KindResponse && num == fieldIgnoredSpans && value != nil
	}
	return nil
}

// nextField reads the first field of a message: the number of a varint, or the value of
// a length-delimited one; value is nil for any other. rest is what is behind it.
func nextField(raw []byte) (num protowire.Number, number uint64, value, rest []byte, err error) {
	// Most are of one octet of tag and one of number or length.
	if len(raw) >= 2 && raw[0] >= 1<<3 && raw[0] < 1<<7 && raw[1] < 1<<7 {
		num, number = protowire.Number(raw[0]>>3), uint64(raw[1])
		switch end := 2 + int(raw[1]); {
		case protowire.Type(raw[0]&7) == protowire.VarintType:
			return num, number, nil, raw[2:], nil
		case protowire.Type(raw[0]&7) == protowire.BytesType && end <= len(raw):
			return num, 0, raw[2:end], raw[end:], nil
		}
	}
	num, typ, n := protowire.ConsumeTag(raw)
	if n < 0 {
		return 0, 0, nil, nil, protowire.ParseError(n)
	}
	raw, number = raw[n:], 0
	switch typ {
	case protowire.VarintType:
		number, n = protowire.ConsumeVarint(raw)
	case protowire.BytesType:
		value, n = protowire.ConsumeBytes(raw)
	default:
		n = protowire.ConsumeFieldValue(num, typ, raw)
		// Neither has a use for it, and its number would be taken for a varint's.
		num = 0
	}
	if n < 0 {
		return 0, 0, nil, nil, protowire.ParseError(n)
	}
	return num, number, value, raw[n:], nil
}
