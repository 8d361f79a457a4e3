package turn

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
)

const (
	meter  = logv1.Ordering_ORDERING_METER
	global = logv1.Ordering_ORDERING_GLOBAL
	none   = logv1.Ordering_ORDERING_NONE
)

func newQueue(o logv1.Ordering) *Queue {
	return New(Options{Ordering: o, MaxWaiting: 100, MaxWait: time.Minute})
}

// TestWhoRuns lets tickets arrive one after the other and says which of them
// run at first and after each release. "-" is a ticket without keys.
func TestWhoRuns(t *testing.T) {
	tests := []struct {
		name     string
		ordering logv1.Ordering
		arrive   string
		// runs has a step for the arrivals and one for each release, which is
		// always of the earliest ticket that runs.
		runs []string
	}{
		{"different meters", meter, "a b c", []string{"a b c", "b c", "c", ""}},
		{"one meter", meter, "a a2 a3", []string{"a", "a2", "a3", ""}},
		{"batch waits for both", meter, "a b ab", []string{"a b", "b", "ab", ""}},
		{"no overtaking a batch", meter, "a ab b", []string{"a", "ab", "b", ""}},
		{"opposite batches", meter, "ab ba ab2", []string{"ab", "ba", "ab2", ""}},
		{"chain of batches", meter, "ab bc cd", []string{"ab", "bc", "cd", ""}},
		{"duplicate key", meter, "aa a", []string{"aa", "a", ""}},
		{"duplicate key waits", meter, "a aba b", []string{"a", "aba", "b", ""}},
		{"without keys waits for all", meter, "a b -", []string{"a b", "b", "-", ""}},
		{"without keys excludes all", meter, "- a b", []string{"-", "a b", "b", ""}},
		{"no overtaking one without keys", meter, "a - b", []string{"a", "-", "b", ""}},
		{"two without keys", meter, "- -2 a", []string{"-", "-2", "a", ""}},
		{"unspecified means meter", logv1.Ordering_ORDERING_UNSPECIFIED, "a b a2", []string{"a b", "b a2", "a2", ""}},
		{"global", global, "a b -", []string{"a", "b", "-", ""}},
		{"none", none, "a a2 -", []string{"a a2 -", "a2 -", "-", ""}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := newQueue(test.ordering)
				names := strings.Fields(test.arrive)
				var mu sync.Mutex
				releases := make(map[string]func())
				for _, name := range names {
					go func() {
						release, err := q.Acquire(t.Context(), keysOf(name))
						if err != nil {
							t.Errorf("Acquire(%s): %v", name, err)
						}
						mu.Lock()
						defer mu.Unlock()
						releases[name] = release
					}()
					synctest.Wait()
				}
				for step, want := range test.runs {
					var now []string
					for _, name := range names {
						if releases[name] != nil {
							now = append(now, name)
						}
					}
					if got := strings.Join(now, " "); got != want {
						t.Fatalf("step %d: %q run, want %q", step, got, want)
					}
					if q.Running() != len(now) || q.Waiting() != len(names)-step-len(now) {
						t.Fatalf("step %d: Running %d, Waiting %d", step, q.Running(), q.Waiting())
					}
					if len(now) > 0 {
						release := releases[now[0]]
						delete(releases, now[0])
						release()
						synctest.Wait()
					}
				}
				checkEmpty(t, q)
			})
		})
	}
}

// keysOf gives a key for each letter of a ticket's name.
func keysOf(name string) []string {
	var keys []string
	for _, c := range name {
		if c >= 'a' && c <= 'z' {
			keys = append(keys, string(c))
		}
	}
	return keys
}

func checkEmpty(t *testing.T, q *Queue) {
	t.Helper()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.running != 0 || q.waiting != 0 || len(q.lines.last) != 0 || q.lines.tail != nil {
		t.Errorf("queue not empty: running %d, waiting %d, lines %d, tail %v",
			q.running, q.waiting, len(q.lines.last), q.lines.tail)
	}
}

func mustAcquire(t *testing.T, q *Queue, keys ...string) func() {
	t.Helper()
	release, err := q.Acquire(t.Context(), keys)
	if err != nil {
		t.Fatalf("Acquire(%v): %v", keys, err)
	}
	return release
}

func TestQueueFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(Options{Ordering: meter, MaxWaiting: 1, MaxWait: time.Minute})
		first := mustAcquire(t, q, "a")
		done := make(chan struct{})
		go func() {
			defer close(done)
			mustAcquire(t, q, "a", "b")()
		}()
		synctest.Wait()
		refused, err := q.Acquire(t.Context(), []string{"b", "c"})
		if !errors.Is(err, ErrQueueFull) {
			t.Fatalf("error %v, want ErrQueueFull", err)
		}
		refused()
		// The refused ticket left no trace: its other key is free at once.
		mustAcquire(t, q, "c")()
		first()
		<-done
		checkEmpty(t, q)
	})
}

func TestNobodyMayWait(t *testing.T) {
	q := New(Options{Ordering: global})
	release := mustAcquire(t, q)
	if _, err := q.Acquire(t.Context(), nil); !errors.Is(err, ErrQueueFull) {
		t.Fatalf("error %v, want ErrQueueFull", err)
	}
	release()
	mustAcquire(t, q)()
	checkEmpty(t, q)
}

func TestWaitTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(Options{Ordering: meter, MaxWaiting: 10, MaxWait: 10 * time.Second})
		first := mustAcquire(t, q, "a")
		start := time.Now()
		late, err := q.Acquire(t.Context(), []string{"a", "b"})
		if !errors.Is(err, ErrWaitTooLong) {
			t.Fatalf("error %v, want ErrWaitTooLong", err)
		}
		if waited := time.Since(start); waited != 10*time.Second {
			t.Errorf("waited %v of the bubble's time, want 10s", waited)
		}
		late()
		mustAcquire(t, q, "b")()
		first()
		checkEmpty(t, q)
	})
}

// TestGivingUpFreesOthers cancels a waiter that others wait behind.
func TestGivingUpFreesOthers(t *testing.T) {
	for _, keys := range [][]string{{"a", "b"}, nil} {
		synctest.Test(t, func(t *testing.T) {
			q := newQueue(meter)
			first := mustAcquire(t, q, "a")
			ctx, cancel := context.WithCancel(t.Context())
			cancelled := make(chan error)
			go func() {
				_, err := q.Acquire(ctx, keys)
				cancelled <- err
			}()
			synctest.Wait()
			done := make(chan struct{})
			go func() {
				defer close(done)
				mustAcquire(t, q, "b")()
			}()
			synctest.Wait()
			if q.Waiting() != 2 {
				t.Fatalf("%d wait, want 2", q.Waiting())
			}
			cancel()
			if err := <-cancelled; !errors.Is(err, context.Canceled) {
				t.Errorf("error %v, want context.Canceled", err)
			}
			<-done // Though the first ticket still holds "a".
			first()
			checkEmpty(t, q)
		})
	}
}

func TestCancelledBeforehand(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, o := range []logv1.Ordering{meter, global, none} {
		q := newQueue(o)
		release, err := q.Acquire(ctx, []string{"a"})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v: error %v, want context.Canceled", o, err)
		}
		release()
		checkEmpty(t, q)
	}
}

// TestReleaseTwice makes sure that a second release does not end the next
// ticket's turn.
func TestReleaseTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(meter)
		first := mustAcquire(t, q, "a")
		first()
		second := mustAcquire(t, q, "a")
		first()
		if q.Running() != 1 {
			t.Fatalf("%d run, want 1", q.Running())
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			mustAcquire(t, q, "a")()
		}()
		synctest.Wait()
		first()
		if q.Waiting() != 1 {
			t.Fatalf("%d wait, want 1", q.Waiting())
		}
		second()
		<-done
		checkEmpty(t, q)
	})
}

func TestFastPathAllocations(t *testing.T) {
	q := newQueue(meter)
	keys := []string{"meter-1"}
	ctx := t.Context()
	allocs := testing.AllocsPerRun(100, func() {
		release, err := q.Acquire(ctx, keys)
		if err != nil {
			t.Error(err)
		}
		release()
	})
	if allocs > 3 { // The ticket, its places, the release function.
		t.Errorf("%v allocations a turn, want at most 3", allocs)
	}
}

func BenchmarkContended(b *testing.B) {
	q := New(Options{Ordering: meter, MaxWaiting: 1 << 20, MaxWait: time.Hour})
	keys := []string{"meter-1"}
	b.SetParallelism(512)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			release, err := q.Acquire(b.Context(), keys)
			if err != nil {
				b.Error(err)
			}
			release()
		}
	})
}
