package room_test

import (
	"math/rand/v2"
	"sync"
	"testing"

	"verbatim/sidecar/room"
)

func TestShares(t *testing.T) {
	r := room.New(100)
	if r.Limit() != 100 {
		t.Errorf("the limit is %d", r.Limit())
	}
	a, ok := r.Take(60)
	if !ok || r.Taken() != 60 {
		t.Fatalf("60 of 100: %v, %d taken", ok, r.Taken())
	}
	if s, ok := r.Take(41); ok || s != nil || r.Taken() != 60 {
		t.Errorf("41 of 40 fit, %d taken", r.Taken())
	}
	b, ok := r.Take(40)
	if !ok || r.Taken() != 100 {
		t.Errorf("40 of 40 don't fit, %d taken", r.Taken())
	}
	if _, ok := r.Take(1); ok {
		t.Error("1 of none fits")
	}
	if _, ok := r.Take(-5); !ok || r.Taken() != 100 {
		t.Errorf("less than nothing changes the room: %d taken", r.Taken())
	}
	if b.Resize(41) || r.Taken() != 100 {
		t.Errorf("41 of 40 fit, %d taken", r.Taken())
	}
	if !b.Resize(10) || !a.Resize(90) || r.Taken() != 100 {
		t.Errorf("shares can't be moved, %d taken", r.Taken())
	}
	a.Release()
	a.Release()
	if r.Taken() != 10 || a.Resize(1) || r.Taken() != 10 {
		t.Errorf("a released share holds something: %d taken", r.Taken())
	}
	var none *room.Share
	none.Release()
	if !none.Resize(5) || r.Taken() != 10 {
		t.Error("no share takes something")
	}
}

// TestManyGoroutines: whatever comes at the same time, the limit holds, and what
// is released is all there again.
func TestManyGoroutines(t *testing.T) {
	const limit = 1000
	r := room.New(limit)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 2000 {
				s, _ := r.Take(rand.Int64N(limit))
				s.Resize(rand.Int64N(limit))
				if n := r.Taken(); n < 0 || n > limit {
					t.Errorf("%d of %d taken", n, limit)
				}
				s.Release()
			}
		})
	}
	wg.Wait()
	if n := r.Taken(); n != 0 {
		t.Errorf("%d stay taken", n)
	}
}
