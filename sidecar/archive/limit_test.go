package archive_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"verbatim/sidecar/archive"
)

// meter is a limiter that lets everything pass and counts.
type meter struct {
	mu           sync.Mutex
	bytes, waits int
	largest      int
	stop         int // bytes after which nothing passes
}

var errLimit = errors.New("no more")

func (m *meter) WaitN(_ context.Context, n int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bytes, m.waits, m.largest = m.bytes+n, m.waits+1, max(m.largest, n)
	if m.stop > 0 && m.bytes > m.stop {
		return errLimit
	}
	return nil
}

func (m *meter) Burst() int { return 100 }

// TestAllThatPassesWaitsForTheLimiter: up and back, in pieces that it lets pass.
func TestAllThatPassesWaitsForTheLimiter(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		l, m := site(t), &meter{}
		archived(t, options(p.limited(t, m), l))
		size := 0
		for _, key := range p.objects(t) {
			info, err := os.Stat(p.path(key))
			if err != nil {
				t.Fatal(err)
			}
			size += int(info.Size())
		}
		if m.bytes != 2*size || m.largest > m.Burst() {
			t.Errorf("%d bytes passed the limiter, at most %d at once; the objects have %d", m.bytes, m.largest, size)
		}
	})
}

func TestALimiterThatEndsIsNoHarm(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		l := site(t)
		for stop := 500; ; stop += 700 {
			m := &meter{stop: stop}
			s, err := archiver(options(p.limited(t, m), l)).Once(t.Context())
			if err == nil {
				sameLog(t, l, restored(t, p.open(t)), s.Through)
				return
			}
			if !errors.Is(err, errLimit) {
				t.Fatal(err)
			}
		}
	})
}

// TestTheLimiterIsOfBytesASecond: by the clock that it is asked with.
func TestTheLimiterIsOfBytesASecond(t *testing.T) {
	if l := archive.NewLimiter(0); l != nil {
		t.Error("there is a bound where none was set")
	}
	const bytesPerSecond = 1000
	l, ok := archive.NewLimiter(bytesPerSecond).(*rate.Limiter)
	if !ok {
		t.Fatal("another limiter")
	}
	now := time.Now()
	if !l.AllowN(now, l.Burst()) {
		t.Error("the first piece has to wait")
	}
	r := l.ReserveN(now, 3*bytesPerSecond)
	if wait := r.DelayFrom(now); wait.Round(time.Millisecond) != 3*time.Second {
		t.Errorf("3,000 bytes wait %v", wait)
	}
}
