package auditlog

import (
	"encoding/binary"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Term is something that an entry is found by: a meter that it belongs to, its
// kind of event, the status of a response. It is a type byte and the value, as
// the index stores it; its zero value is none.
type Term string

// The types of terms.
const (
	meterTerm  = 'm'
	kindTerm   = 'k'
	statusTerm = 's'
)

// MeterTerm is the term of all entries of a meter: its requests, their parts and
// their outcomes.
func MeterTerm(id string) Term { return Term(meterTerm) + Term(id) }

// KindTerm is the term of all entries of a kind.
func KindTerm(k Kind) Term { return Term([]byte{kindTerm, byte(k)}) }

// StatusTerm is the term of all responses with a status.
func StatusTerm(status uint32) Term {
	return Term(binary.BigEndian.AppendUint32([]byte{statusTerm}, status))
}

// String names the term for people, as in `meter "m"`, `kind abort`, `status 503`.
func (t Term) String() string {
	switch {
	case t == "":
	case t[0] == meterTerm:
		return fmt.Sprintf("meter %q", string(t[1:]))
	case t[0] == kindTerm && len(t) == 2:
		return "kind " + Kind(t[1]).String()
	case t[0] == statusTerm && len(t) == 5:
		return fmt.Sprintf("status %d", t.status())
	}
	return fmt.Sprintf("unknown term %q", string(t))
}

// status is a status term's value.
func (t Term) status() uint32 { return binary.BigEndian.Uint32([]byte(t[1:])) }

// fieldStatus is Output.status.
const fieldStatus protowire.Number = 1

// OutputStatus is the status with which a Response's output begins, as its
// canonical encoding does; 0 if it begins otherwise.
func OutputStatus(output []byte) uint32 {
	num, status, value, size := nextField(output)
	if size < 0 || num != fieldStatus || value != nil || status > 1<<32-1 {
		return 0
	}
	return uint32(status)
}
