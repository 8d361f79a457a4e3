package stellar

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/stellar/go-stellar-sdk/xdr"
)

// Bounds for XDR from outside: a few bytes of it can be a large object in memory.
const (
	maxXDRDepth  = 200
	maxXDRMemory = 64 << 20
)

// decode reads one XDR value that is all of raw, in its one canonical encoding.
func decode(raw []byte, v interface {
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}) error {
	opts := xdr.DecodeOptions{MaxDepth: maxXDRDepth, MaxInputLen: len(raw), MaxMemoryBytes: maxXDRMemory}
	if len(raw) == 0 { // a MaxInputLen of 0 is none
		return errors.New("it is empty")
	}
	if _, err := xdr.UnmarshalWithOptions(bytes.NewReader(raw), v, opts); err != nil {
		return err
	}
	again, err := v.MarshalBinary()
	if err != nil {
		return err
	}
	if !bytes.Equal(again, raw) {
		return errors.New("it is not in canonical form")
	}
	return nil
}

// decodeBase64 is decode of base64 text. It returns the bytes, too.
func decodeBase64(text string, v interface {
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}) ([]byte, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("read base64: %w", err)
	}
	return raw, decode(raw, v)
}

// encode is the base64 text of a value's XDR.
func encode(v encoding.BinaryMarshaler) (string, error) {
	raw, err := v.MarshalBinary()
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(raw), nil
}
