package verify_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/verify"
)

// BenchmarkVerify checks a log of 100,000 entries. What is stored beside the
// entries is what differs with the number of meters.
func BenchmarkVerify(b *testing.B) {
	for _, meters := range []uint64{200, 10_000} {
		b.Run(fmt.Sprintf("meters=%d", meters), func(b *testing.B) {
			const entries = 100_000
			v, err := auditlog.OpenReadOnly(recorded(b, entries, meters))
			if err != nil {
				b.Fatal(err)
			}
			defer v.Close()
			for b.Loop() {
				r, err := verify.Verify(context.Background(), v, verify.Options{})
				if err != nil || !r.OK() {
					b.Fatal(err, r)
				}
			}
			b.ReportMetric(entries*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}

// recorded makes a closed log of requests and their responses.
func recorded(b *testing.B, entries, meters uint64) string {
	b.Helper()
	dir := filepath.Join(b.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{}); err != nil {
		b.Fatal(err)
	}
	l, err := auditlog.Open(dir, auditlog.Options{})
	if err != nil {
		b.Fatal(err)
	}
	body := make([]byte, 250)
	var last *auditlog.Pending
	next := uint64(1)
	put := func(ev *logv1.Event) uint64 {
		d, err := auditlog.NewDraft(ev)
		if err != nil {
			b.Fatal(err)
		}
		if next%auditlog.DefaultInterval == 0 {
			next++ // a checkpoint stands there
		}
		last = l.Append(d)
		next++
		return next - 1
	}
	for i := uint64(0); next < entries; i++ {
		o := put(&logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{
			MeterIds: []string{fmt.Sprintf("meter-%05d", i*7919%meters)}, Body: body,
		}}})
		put(&logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: o, Output: body}}})
	}
	if _, err := last.Wait(context.Background()); err != nil {
		b.Fatal(err)
	}
	if err := l.Close(context.Background()); err != nil {
		b.Fatal(err)
	}
	return dir
}
