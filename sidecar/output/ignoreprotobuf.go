package output

import (
	"encoding/binary"
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
)

// messageNode is the set of field paths that go on from one message type.
type messageNode map[protowire.Number]*fieldNode

// fieldNode is a field that a path names or leads through.
type fieldNode struct {
	// wires are the wire types that the field can have, one bit each. With another it
	// is, to who reads the message, an unknown field.
	wires uint
	// within are the paths that go on from the field's message; nil: it is ignored.
	within messageNode
}

// edits finds what is ignored in a body of one message, or of gRPC's frames of such.
// ok: the body is well-formed as far as it was looked into.
func (m messageNode) edits(body []byte, framed bool) (e edits, ok bool) {
	var err error
	if framed {
		err = m.frames(body, &e)
	} else {
		_, err = m.cut(body, 0, &e)
	}
	if err != nil {
		return nil, false
	}
	return e, true
}

// frameHead is a flag and a length of four octets.
const frameHead = 5

var errFrame = errors.New("a gRPC frame is cut off")

// frames looks into each frame that is not compressed.
func (m messageNode) frames(body []byte, e *edits) error {
	for at := 0; at < len(body); {
		if len(body)-at < frameHead {
			return errFrame
		}
		size := uint64(binary.BigEndian.Uint32(body[at+1:]))
		if size > uint64(len(body)-at-frameHead) {
			return errFrame
		}
		end := at + frameHead + int(size)
		if body[at] == 0 {
			length := func(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }
			if _, err := m.sized(body[at+frameHead:end], at+1, at+frameHead, length, e); err != nil {
				return err
			}
		}
		at = end
	}
	return nil
}

// cut takes the ignored fields of a message that begins at base out of the body, and
// says how many octets less that makes.
func (m messageNode) cut(message []byte, base int, e *edits) (less int, err error) {
	for at := 0; at < len(message); {
		number, wire, tag := protowire.ConsumeTag(message[at:])
		if tag < 0 {
			return 0, protowire.ParseError(tag)
		}
		value := protowire.ConsumeFieldValue(number, wire, message[at+tag:])
		if value < 0 {
			return 0, protowire.ParseError(value)
		}
		end := at + tag + value
		n := 0
		f := m[number]
		switch {
		case f == nil || f.wires>>wire&1 == 0:
		case f.within == nil:
			n, err = end-at, e.add(edit{from: base + at, to: base + end})
		default:
			content, _ := protowire.ConsumeBytes(message[at+tag:])
			length := func(n int) []byte { return protowire.AppendVarint(nil, uint64(n)) }
			n, err = f.within.sized(content, base+at+tag, base+end-len(content), length, e)
		}
		if err != nil {
			return 0, err
		}
		less += n
		at = end
	}
	return less, nil
}

// sized is cut for a message whose length stands before it, from the octet of the body
// on that is given: it becomes that of what is left.
func (m messageNode) sized(message []byte, lengthAt, base int, length func(int) []byte, e *edits) (less int, err error) {
	place := len(*e)
	if err := e.add(edit{from: lengthAt, to: base}); err != nil {
		return 0, err
	}
	less, err = m.cut(message, base, e)
	if err != nil {
		return 0, err
	}
	if less == 0 {
		*e = (*e)[:place] // nothing was found in it
		return 0, nil
	}
	shorter := length(len(message) - less)
	(*e)[place].with = shorter
	return less + (base - lengthAt) - len(shorter), nil
}
