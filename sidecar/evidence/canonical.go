package evidence

import (
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

var errSpelling = errors.New("it is not written as evidence is")

// canonical is nil if a serialized message is spelled in the one way: known fields
// alone, ascending, none twice that is no list, no zero values, the shortest varints.
// It is checked here, as protobuf promises no stable bytes from release to release.
func canonical(raw []byte, message protoreflect.MessageDescriptor) error {
	last := protowire.Number(0)
	for len(raw) > 0 {
		num, typ, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return protowire.ParseError(n)
		}
		field := message.Fields().ByNumber(num)
		switch {
		case field == nil:
			return fmt.Errorf("%w: field %d of %s is not known", errSpelling, num, message.Name())
		case num < last || num == last && !field.IsList() || n != protowire.SizeTag(num):
			return fmt.Errorf("%w: field %d of %s has no place there", errSpelling, num, message.Name())
		}
		last, raw = num, raw[n:]
		if n = canonicalValue(raw, typ, field); n < 0 {
			return fmt.Errorf("%w: field %d of %s", errSpelling, num, message.Name())
		}
		if field.Kind() == protoreflect.MessageKind {
			value, _ := protowire.ConsumeBytes(raw)
			if err := canonical(value, field.Message()); err != nil {
				return err
			}
		}
		raw = raw[n:]
	}
	return nil
}

// canonicalValue is the length of a field's value, negative for one that is not spelled
// in the one way.
func canonicalValue(raw []byte, typ protowire.Type, field protoreflect.FieldDescriptor) int {
	switch field.Kind() {
	case protoreflect.BytesKind, protoreflect.StringKind, protoreflect.MessageKind:
		value, n := protowire.ConsumeBytes(raw)
		empty := len(value) == 0 && !field.IsList() && field.Kind() != protoreflect.MessageKind
		if typ != protowire.BytesType || n != protowire.SizeBytes(len(value)) || empty {
			return -1
		}
		return n
	}
	value, n := protowire.ConsumeVarint(raw)
	if typ != protowire.VarintType || n != protowire.SizeVarint(value) || value == 0 ||
		field.Kind() == protoreflect.Uint32Kind && value > math.MaxUint32 {
		return -1
	}
	return n
}
