package policy

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// canonical returns the policy as JSON with its keys in ascending order and no
// white space, so that equal policies have equal digests.
func canonical(o Options) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // "&&" and "<" stay readable.
	err := enc.Encode(struct {
		Meters  string   `json:"meters"`
		Skip    string   `json:"skip"`
		Stream  string   `json:"stream"`
		Types   []string `json:"stream_types"`
		Version uint32   `json:"version"`
	}{o.Meters, o.Skip, o.Stream, o.Types, Version})
	if err != nil {
		return nil, fmt.Errorf("encode capture policy: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func record(text []byte) *logv1.Policy {
	sum := sha256.Sum256(text)
	return &logv1.Policy{Version: Version, Text: bytes.Clone(text), Sha256: sum[:]}
}
