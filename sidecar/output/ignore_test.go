package output_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"verbatim/sidecar/output"
)

func TestIgnorePolicyText(t *testing.T) {
	p := output.DefaultIgnorePolicy()
	const want = `{"version":1,"headers":["date","x-request-id"]}`
	if got := string(p.JSON()); got != want {
		t.Errorf("JSON() = %s, want %s", got, want)
	}
	record := p.Policy()
	if sum := sha256.Sum256([]byte(want)); record.GetVersion() != 1 || string(record.GetText()) != want || !bytes.Equal(record.GetSha256(), sum[:]) {
		t.Errorf("Policy() = %v", record)
	}
	if got := string(output.IgnorePolicy{Version: 1}.JSON()); got != `{"version":1,"headers":[]}` {
		t.Errorf("JSON() of an empty policy = %s", got)
	}
}

func TestNewIgnorePolicy(t *testing.T) {
	p, err := output.NewIgnorePolicy([]string{"X-B", "date", "x-b", "a&b"})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"a&b", "date", "x-b"}, p.Headers); d != "" {
		t.Error(d)
	}
	back, err := output.ParseIgnorePolicy(p.JSON())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(p.JSON()), string(back.JSON())); d != "" {
		t.Error(d)
	}
	for _, bad := range []string{"", "a b", "a:b", ":status", "é"} {
		if _, err := output.NewIgnorePolicy([]string{bad}); !errors.Is(err, output.ErrIgnorePolicy) {
			t.Errorf("NewIgnorePolicy(%q) = %v", bad, err)
		}
	}
}

func TestParseIgnorePolicyRefuses(t *testing.T) {
	for _, text := range []string{
		``, `null`, `{}`, `[]`, `{"version":1}`, `{"version":2,"headers":[]}`, `{"version":3,"headers":[]}`, `{"version":2,"headers":[],"json":[],"protobuf":[]}`,
		`{"version":1,"headers":[],"json":["/a"],"protobuf":[]}`, `{"version":2,"headers":[],"json":["/b","/a"],"protobuf":[]}`,
		`{"version":2,"headers":[],"json":["a"],"protobuf":[]}`, `{"version":2,"headers":[],"json":["/a"],"protobuf":null}`,
		`{"version":2,"headers":[],"json":["/a"],"protobuf":[],"descriptors":"AA=="}`,
		`{"version":1,"headers":null}`,
		`{"version":1,"headers":["b","a"]}`, `{"version":1,"headers":["a","a"]}`, `{"version":1,"headers":["A"]}`,
		`{"version":1,"headers":["a b"]}`, `{"version":1,"headers":[],"spans":[]}`, `{"headers":[],"version":1}`,
		`{"version":1,"headers":[]} `, `{"version":1, "headers":[]}`, `{"version":1,"version":1,"headers":[]}`,
	} {
		if _, err := output.ParseIgnorePolicy([]byte(text)); !errors.Is(err, output.ErrIgnorePolicy) {
			t.Errorf("ParseIgnorePolicy(%s) = %v", text, err)
		}
	}
}
