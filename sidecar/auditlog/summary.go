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
		num, number, value, size := nextField(raw)
		switch {
		case size < 0:
			return fmt.Errorf("read event: %w", protowire.ParseError(size))
		case num == fieldWallClock && value == nil:
			s.ClockMS = number
		case value == nil || Kind(num) < KindGenesis || Kind(num) > KindPrune:
		case s.Kind == Kind(num):
			event = slices.Concat(event, value) // protobuf merges them
		default:
			s.Kind, event = Kind(num), value
		}
		raw = raw[size:]
	}
	for len(event) > 0 {
		if n := s.unread(event); n > 0 {
			event = event[n:]
			continue
		}
		num, number, value, size := nextField(event)
		if size < 0 {
			return fmt.Errorf("read event: %w", protowire.ParseError(size))
		}
		if err := s.field(num, number, value); err != nil {
			return fmt.Errorf("read event: %w", err)
		}
		event = event[size:]
	}
	return nil
}

// headersTag begins each of a Request's headers, which are most of its fields.
const headersTag = 2<<3 | byte(protowire.BytesType)

// unread is the size of a field that begins the event and is a short header of a
// Request; 0 if it is another.
func (s *Summary) unread(event []byte) int {
	if s.Kind == KindRequest && len(event) > 1 && event[0] == headersTag && event[1] < 1<<7 && 2+int(event[1]) <= len(event) {
		return 2 + int(event[1])
	}
	return 0
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
