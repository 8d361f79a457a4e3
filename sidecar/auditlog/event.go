package auditlog

import (
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// Kind tells which event an entry holds: the field number in logv1.Event.
type Kind protowire.Number

// The kinds of events.
const (
	KindGenesis      Kind = 2
	KindStart        Kind = 3
	KindRequest      Kind = 4
	KindResponse     Kind = 5
	KindRequestPart  Kind = 6
	KindResponsePart Kind = 7
	KindAbort        Kind = 8
	KindGap          Kind = 9
	KindCheckpoint   Kind = 10
	KindPrune        Kind = 11
)

var kindNames = map[Kind]string{
	KindGenesis: "genesis", KindStart: "start", KindRequest: "request", KindResponse: "response",
	KindRequestPart: "request_part", KindResponsePart: "response_part", KindAbort: "abort",
	KindGap: "gap", KindCheckpoint: "checkpoint", KindPrune: "prune",
}

// String is the event's name in the format, "unknown" for a number that has none.
func (k Kind) String() string {
	if n, ok := kindNames[k]; ok {
		return n
	}
	return "unknown"
}

// Kinds are all of them, in the order of their numbers.
func Kinds() []Kind { return slices.Sorted(maps.Keys(kindNames)) }

// fieldWallClock is Event.wall_clock_ms.
const fieldWallClock protowire.Number = 1

// Peek reads an event's kind and wall clock without decoding the event itself.
func Peek(raw []byte) (kind Kind, clockMS uint64, err error) {
	for len(raw) > 0 {
		num, number, value, size := nextField(raw)
		switch {
		case size < 0:
			return 0, 0, fmt.Errorf("read event: %w", protowire.ParseError(size))
		case num == fieldWallClock && value == nil:
			clockMS = number
		case value != nil && Kind(num) >= KindGenesis && Kind(num) <= KindPrune:
			kind = Kind(num)
		}
		raw = raw[size:]
	}
	return kind, clockMS, nil
}
