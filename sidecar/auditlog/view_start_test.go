package auditlog_test

import (
	"testing"

	"verbatim/sidecar/auditlog"
)

// TestTheNewestStartIsFound: at every offset, of a whole log and of one that was cut.
func TestTheNewestStartIsFound(t *testing.T) {
	_, whole := cutLog(t, 4, 30)
	_, cut := cutLog(t, 4, 30, 2, 6)
	for name, l := range map[string]*auditlog.Log{"whole": whole, "cut": cut} {
		v := view(t, l)
		starts := map[uint64]bool{}
		for e, err := range v.Kept(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if kind, _, err := auditlog.Peek(e.Raw); err == nil && kind == auditlog.KindStart {
				starts[e.Offset] = true
			}
		}
		for e, err := range v.Entries(t.Context(), v.First(), v.Tip().Offset) {
			if err != nil {
				t.Fatal(err)
			}
			if kind, _, err := auditlog.Peek(e.Raw); err == nil && kind == auditlog.KindStart {
				starts[e.Offset] = true
			}
		}
		if len(starts) != 3 {
			t.Fatalf("%s: %d starts", name, len(starts))
		}
		newest, some := uint64(0), false
		for offset := range v.Tip().Offset + 1 {
			if starts[offset] {
				newest, some = offset, true
			}
			at, s, err := v.StartBefore(t.Context(), offset)
			if err != nil || (s != nil) != some || at != newest || some && s.GetBootId() != "b" {
				t.Errorf("%s: at %d: %d, %v, %v; want that at %d", name, offset, at, s, err, newest)
			}
		}
		v.Close()
		closeLog(t, l)
	}
}
