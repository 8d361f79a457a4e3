package policy

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
	"strings"
)

// jsonText is a body read as JSON.
type jsonText struct {
	// value is nil, bool, int64, uint64, float64, string, []any or map[string]any.
	value any
}

// parseJSON reads a body that is one JSON text (RFC 8259); of another it returns
// null. Of members with one name the last counts.
func parseJSON(body []byte) *jsonText {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var value any
	if dec.Decode(&value) != nil {
		return &jsonText{}
	}
	if _, err := dec.Token(); err != io.EOF {
		return &jsonText{} // More follows the first text.
	}
	return &jsonText{value: withNumbers(value)}
}

// withNumbers replaces each json.Number in place.
func withNumbers(value any) any {
	switch v := value.(type) {
	case json.Number:
		return number(string(v))
	case []any:
		for i := range v {
			v[i] = withNumbers(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = withNumbers(v[name])
		}
	}
	return value
}

// number keeps every digit of an integer, because it may be a meter's id: one
// that does not fit 64 bits stays text, as does what a float64 cannot hold.
func number(text string) any {
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return i
	}
	if u, err := strconv.ParseUint(text, 10, 64); err == nil {
		return u
	}
	if !strings.ContainsAny(text, ".eE") {
		return text
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	return f
}
