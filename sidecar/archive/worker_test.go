package archive_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"verbatim/sidecar/archive"
	"verbatim/tests/s3"
)

// told counts what an observer is told.
type told struct {
	mu       sync.Mutex
	archived []archive.Standing
	bytes    uint64
	failed   int
}

func (o *told) Archived(s archive.Standing, bytes uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.archived, o.bytes = append(o.archived, s), o.bytes+bytes
}

func (o *told) ArchiveFailed(error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failed++
}

// TestAWorkerGoesOnThroughFailures: the storage is away, comes back, and the log grows.
func TestAWorkerGoesOnThroughFailures(t *testing.T) {
	p, l := bucket(t), site(t)
	o, observer := options(p.open(t), l), &told{}
	o.Observer = observer
	p.s3.Misbehave(func(*http.Request) (s3.Fault, bool) { return s3.Refuse, true })
	w := archive.NewWorker(archiver(o), time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	rounds := 0
	var waits []time.Duration
	w.SetPause(func(_ context.Context, d time.Duration) {
		waits = append(waits, d)
		switch rounds++; rounds {
		case 3:
			p.s3.Behave()
		case 4:
			record(t, l, 20)
		case 5:
			cancel()
		}
	})
	w.Run(ctx)
	if observer.failed != 3 || rounds != 5 {
		t.Errorf("%d failures in %d rounds", observer.failed, rounds)
	}
	for i, d := range waits {
		if failed := i < 3; failed == (d == time.Hour) {
			t.Errorf("round %d waits %v", i, d)
		}
	}
	if n := len(observer.archived); n < 2 || observer.bytes == 0 {
		t.Errorf("%d manifests, %d bytes", n, observer.bytes)
	}
	sameLog(t, l, restored(t, p.open(t)), observer.archived[len(observer.archived)-1].Through)
}

func TestAWorkerEndsWhileItWaits(t *testing.T) {
	p, l := folder(t), site(t)
	ctx, cancel := context.WithCancel(t.Context())
	o := options(p.open(t), l)
	o.Observer = stopper{cancel}
	archive.NewWorker(archive.New(o), time.Hour).Run(ctx) // returns, or the test never does
}

// stopper ends a worker when it has archived.
type stopper struct{ stop func() }

func (s stopper) Archived(archive.Standing, uint64) { s.stop() }
func (s stopper) ArchiveFailed(error)               {}
