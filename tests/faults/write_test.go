package faults_test

import (
	"errors"
	"flag"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"verbatim/tests/faults"
)

var (
	every = flag.Bool("every", false, "fail every call, not a sample")
	only  = flag.String("only", "", "fail only calls that match this `regexp`, as a failed test names them: look into one with it")
)

// TestEveryWrite lets each system call that changes or opens a file of a log go
// wrong once, in each way, while the log is made, written and read back. Whatever
// happens, nothing crashes; what was acknowledged is there, in a valid chain, and
// the log goes on.
func TestEveryWrite(t *testing.T) {
	for _, sc := range scenarios {
		t.Run(sc.name, func(t *testing.T) {
			s := prepare(t, sc)
			survey, err := s.run(t, t.TempDir(), fault{outcome: faults.Pass})
			if err := errors.Join(err, s.check(t, survey)); err != nil {
				t.Fatalf("without a fault: %v", err)
			}
			list := sample(survey.calls, sc.whole)
			if *every || *only != "" {
				list = slices.DeleteFunc(all(survey.calls), func(f fault) bool { return !matches(t, f) })
			}
			missed := s.runAll(t, list)
			t.Logf("%d calls, %d faults, of which %d were not met", len(survey.calls), len(list), missed)
			// What goes on in the background can give a file another number.
			if missed > max(1, int64(len(list)/20)) {
				t.Errorf("%d of %d faults were not met", missed, len(list))
			}
		})
	}
}

func matches(t *testing.T, f fault) bool {
	ok, err := regexp.MatchString(*only, fmt.Sprintf("%s, %s", f.call, f.outcome))
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

// attempts is how often a scribe is started until it makes the call that is to fail.
const attempts = 3

func (s *suite) runAll(t *testing.T, list []fault) int64 {
	var missed atomic.Int64
	work := make(chan fault)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		dir := t.TempDir()
		workers.Go(func() {
			for f := range work {
				if !s.try(t, dir, f) {
					missed.Add(1)
				}
			}
		})
	}
	for _, f := range list {
		work <- f
	}
	close(work)
	workers.Wait()
	return missed.Load()
}

// try says whether the fault was met.
func (s *suite) try(t *testing.T, dir string, f fault) bool {
	for range attempts {
		r, err := s.run(t, dir, f)
		if err := errors.Join(err, s.check(t, r)); err != nil {
			t.Errorf("%s, %s: %v", f.call, f.outcome, err)
		}
		if r.met {
			return true
		}
	}
	return false
}
