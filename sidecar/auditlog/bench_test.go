package auditlog_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
)

// BenchmarkAppend makes requests durable from 256 writers at once. The index is
// what differs with the number of meters.
func BenchmarkAppend(b *testing.B) {
	for _, meters := range []int{200, 10_000} {
		b.Run(fmt.Sprintf("meters=%d", meters), func(b *testing.B) {
			dir := filepath.Join(b.TempDir(), "log")
			if _, err := auditlog.Create(dir, auditlog.Origin{}); err != nil {
				b.Fatal(err)
			}
			l, err := auditlog.Open(dir, auditlog.Options{})
			if err != nil {
				b.Fatal(err)
			}
			b.ResetTimer()
			appendFromMany(b, l, meters)
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
			if err := l.Close(context.Background()); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func appendFromMany(b *testing.B, l *auditlog.Log, meters int) {
	b.Helper()
	const writers = 256
	body := make([]byte, 250)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for {
				i := int(next.Add(1))
				if i > b.N {
					return
				}
				d, err := auditlog.NewDraft(&logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{
					MeterIds: []string{fmt.Sprintf("meter-%05d", i%meters)}, Body: body,
				}}})
				if err == nil {
					_, err = l.Append(d).Wait(context.Background())
				}
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}
