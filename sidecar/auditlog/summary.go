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
	err := eachField(raw, func(num protowire.Number, number uint64, value []byte) error {
		switch {
		case num == fieldWallClock && value == nil:
			s.ClockMS = number
		case value != nil && Kind(num) >= KindGenesis && Kind(num) <= KindPrune:
			if s.Kind == Kind(num) {
				event = slices.Concat(event, value) // protobuf merges them
			} else {
				s.Kind, event = Kind(num), value
			}
		}
		return nil
	})
	if err == nil && s.Kind != 0 {
		err = eachField(event, s.field)
	}
	if err != nil {
		return fmt.Errorf("read event: %w", err)
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

// eachField calls f for the fields of a message in order, with the number of a
// varint, or the value of a length-delimited one; value is nil for any other.
func eachField(raw []byte, f func(num protowire.Number, number uint64, value []byte) error) error {
	for len(raw) > 0 {
		num, typ, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return protowire.ParseError(n)
		}
		raw = raw[n:]
		var number uint64
		var value []byte
		switch typ {
		case protowire.VarintType:
			number, n = protowire.ConsumeVarint(raw)
		case protowire.BytesType:
			value, n = protowire.ConsumeBytes(raw)
		default:
			if n = protowire.ConsumeFieldValue(num, typ, raw); n >= 0 {
				raw = raw[n:]
				continue
			}
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		raw = raw[n:]
		if err := f(num, number, value); err != nil {
			return err
		}
	}
	return nil
}
