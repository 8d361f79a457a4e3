package verify_test

import (
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/output"
	"verbatim/sidecar/verify"
	"verbatim/tests/forge"
)

// TestWhatWasTakenOutOfABodyFits: the log is rewritten as a whole, so that nothing but
// the spans of its first answer is wrong.
func TestWhatWasTakenOutOfABodyFits(t *testing.T) {
	policy, err := output.IgnoreRules{JSON: []string{"/at"}}.Compile()
	if err != nil {
		t.Fatal(err)
	}
	c, err := output.Canonical(output.Message{
		Status: 200, Body: []byte(`{"at":1}`), Headers: []*logv1.Header{{Name: []byte("content-type"), Value: []byte("application/json")}},
	}, policy)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*logv1.IgnoredSpan{
		"as it was":       {Position: c.Spans[0].Position, Original: c.Spans[0].Original, Octets: c.Spans[0].Octets},
		"elsewhere":       {Position: c.Spans[0].Position - 1, Original: c.Spans[0].Original, Octets: c.Spans[0].Octets},
		"behind the body": {Position: 1000, Original: []byte("1")},
	} {
		t.Run(name, func(t *testing.T) {
			dir, at := honest(t), uint64(0)
			if err := forge.Rewrite(dir, func(o uint64, ev *logv1.Event) error {
				if r := ev.GetResponse(); r != nil && at == 0 {
					at, r.Output, r.IgnoredSpans = o, c.Output, []*logv1.IgnoredSpan{s}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if name != "as it was" {
				wantFirst(t, dir, at, verify.CodeIgnored, "the ignored parts don't fit the output")
			} else if r := check(t, dir, verify.Options{}); !r.OK() {
				t.Errorf("findings %v", r.Findings)
			}
		})
	}
}
