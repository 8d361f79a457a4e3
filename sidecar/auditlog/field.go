package auditlog

import "google.golang.org/protobuf/encoding/protowire"

// nextField reads the first field of a message: the number of a varint, or the value of
// a length-delimited one; value is nil for any other. size is how many octets it has, or
// an error of protowire's.
func nextField(raw []byte) (num protowire.Number, number uint64, value []byte, size int) {
	// Most have a tag of one octet, and a length of one or two.
	if len(raw) < 3 || raw[0] < 1<<3 || raw[0] >= 1<<7 {
		return anyField(raw)
	}
	num = protowire.Number(raw[0] >> 3)
	switch protowire.Type(raw[0] & 7) {
	case protowire.VarintType:
		if number, size = protowire.ConsumeVarint(raw[1:]); size > 0 {
			return num, number, nil, 1 + size
		}
	case protowire.BytesType:
		start, length := 2, int(raw[1])
		if length >= 1<<7 {
			start, length = 3, length&(1<<7-1)|int(raw[2])<<7
		}
		if end := start + length; end <= len(raw) && (start == 2 || raw[2] < 1<<7) {
			return num, 0, raw[start:end], end
		}
	}
	return anyField(raw)
}

func anyField(raw []byte) (num protowire.Number, number uint64, value []byte, size int) {
	num, typ, size := protowire.ConsumeTag(raw)
	if size < 0 {
		return 0, 0, nil, size
	}
	var n int
	switch typ {
	case protowire.VarintType:
		number, n = protowire.ConsumeVarint(raw[size:])
	case protowire.BytesType:
		value, n = protowire.ConsumeBytes(raw[size:])
	default:
		n = protowire.ConsumeFieldValue(num, typ, raw[size:])
		// Nobody has a use for it, and its number would be taken for a varint's.
		num = 0
	}
	if n < 0 {
		return 0, 0, nil, n
	}
	return num, number, value, size + n
}
