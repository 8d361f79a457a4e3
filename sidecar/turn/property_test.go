package turn

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// arena notes who is in and complains when two are that exclude each other.
type arena struct {
	all    atomic.Int64
	alone  atomic.Int64
	byKey  map[string]*atomic.Int64
	global bool
}

func newArena(global bool) *arena {
	a := &arena{byKey: make(map[string]*atomic.Int64), global: global}
	for c := 'a'; c <= 'f'; c++ {
		a.byKey[string(c)] = new(atomic.Int64)
	}
	return a
}

func (a *arena) enter(t *testing.T, keys []string) {
	n := a.all.Add(1)
	if (len(keys) == 0 || a.global) && n != 1 {
		t.Errorf("%d run beside a ticket that excludes all", n-1)
	}
	if len(keys) == 0 {
		a.alone.Add(1)
	} else if a.alone.Load() != 0 {
		t.Errorf("%v runs beside a ticket without keys", keys)
	}
	for key := range unique(keys) {
		if a.byKey[key].Add(1) != 1 {
			t.Errorf("two run with key %s", key)
		}
	}
}

func (a *arena) exit(keys []string) {
	for key := range unique(keys) {
		a.byKey[key].Add(-1)
	}
	if len(keys) == 0 {
		a.alone.Add(-1)
	}
	a.all.Add(-1)
}

func unique(keys []string) map[string]bool {
	set := make(map[string]bool)
	for _, k := range keys {
		set[k] = true
	}
	return set
}

// TestExclusion runs many goroutines with random keys, some of which give up
// while they wait. Every Acquire must come to an end, and nothing may be left.
func TestExclusion(t *testing.T) {
	for _, ordering := range []logv1.Ordering{meter, global} {
		t.Run(ordering.String(), func(t *testing.T) {
			q := New(Options{Ordering: ordering, MaxWaiting: 1000, MaxWait: time.Hour})
			a := newArena(ordering == global)
			var wg sync.WaitGroup
			var turns, gaveUp atomic.Int64
			for seed := range uint64(64) {
				wg.Go(func() {
					r := rand.New(rand.NewPCG(seed, 2))
					for range 200 {
						if oneTurn(t, q, a, r) {
							turns.Add(1)
						} else {
							gaveUp.Add(1)
						}
					}
				})
			}
			wg.Wait()
			if turns.Load()+gaveUp.Load() != 64*200 || turns.Load() == 0 {
				t.Errorf("%d turns and %d gave up of %d", turns.Load(), gaveUp.Load(), 64*200)
			}
			checkEmpty(t, q)
		})
	}
}

// oneTurn reports whether the turn came; a quarter of the tickets is cancelled
// by another goroutine at any moment: before, at or after the grant.
func oneTurn(t *testing.T, q *Queue, a *arena, r *rand.Rand) bool {
	keys := randomKeys(r)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if r.IntN(4) == 0 {
		go cancel()
	}
	release, err := q.Acquire(ctx, keys)
	defer release()
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Acquire(%v): %v", keys, err)
		}
		return false
	}
	a.enter(t, keys)
	a.exit(keys)
	release()
	return true
}

// TestBatchesInOppositeOrder would hang if tickets took their keys one by one.
func TestBatchesInOppositeOrder(t *testing.T) {
	q := New(Options{Ordering: meter, MaxWaiting: 1000, MaxWait: time.Hour})
	batches := [][]string{{"a", "b", "c"}, {"c", "b", "a"}, {"b", "c", "a"}}
	var wg sync.WaitGroup
	for i := range 30 {
		wg.Go(func() {
			for range 200 {
				release, err := q.Acquire(t.Context(), batches[i%3])
				if err != nil {
					t.Errorf("Acquire(%v): %v", batches[i%3], err)
				}
				release()
			}
		})
	}
	wg.Wait()
	checkEmpty(t, q)
}

// TestCancelRacesGrant releases a turn and cancels the next ticket at the same
// time. Whoever wins, a third ticket must get its turn.
func TestCancelRacesGrant(t *testing.T) {
	q := newQueue(meter)
	for range 2000 {
		first := mustAcquire(t, q, "a")
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			release, err := q.Acquire(ctx, []string{"a"})
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("Acquire: %v", err)
			}
			release()
		})
		wg.Go(first)
		wg.Go(cancel)
		wg.Go(func() { mustAcquire(t, q, "a")() })
		wg.Wait()
	}
	checkEmpty(t, q)
}
