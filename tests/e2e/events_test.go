package e2e

import (
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
)

// eachEvent reads a log that nobody writes, from an offset on, until f is false.
func eachEvent(t *testing.T, log string, from uint64, f func(auditlog.Entry, *logv1.Event) bool) {
	t.Helper()
	v, err := auditlog.OpenReadOnly(log)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	for e, err := range v.Entries(t.Context(), from, v.Tip().Offset) {
		if err != nil {
			t.Fatal(err)
		}
		ev, err := e.Event()
		if err != nil {
			t.Fatal(err)
		}
		if !f(e, ev) {
			return
		}
	}
}

// findEntry returns the first entry at or behind from that matches.
func findEntry(t *testing.T, log string, from uint64, match func(*logv1.Event) bool) uint64 {
	t.Helper()
	offset, found := uint64(0), false
	eachEvent(t, log, from, func(e auditlog.Entry, ev *logv1.Event) bool {
		offset, found = e.Offset, match(ev)
		return !found
	})
	if !found {
		t.Fatal("no such entry in the log")
	}
	return offset
}
