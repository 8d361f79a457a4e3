package retention

import (
	"encoding/base64"
	"flag"
	"fmt"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/verify"
)

// perDay is how many entries a day has in TestAHundredDays; make soak says 10,000,
// which makes a million.
var perDay = flag.Int("retention.perday", 1000, "entries a day in TestAHundredDays")

const (
	days     = 100
	keepFew  = 10
	keepMany = 90
)

// A hundred days of capture, while the oldest day goes each day.
func TestAHundredDays(t *testing.T) {
	var few, many []uint64
	t.Run("keep", func(t *testing.T) {
		t.Run("10d", func(t *testing.T) { t.Parallel(); few = hundredDays(t, keepFew) })
		t.Run("90d", func(t *testing.T) { t.Parallel(); many = hundredDays(t, keepMany) })
	})
	if t.Failed() {
		return
	}
	// The disk is flat once the first day has gone, and it is the pruning that makes it
	// so: what is kept nine times as long takes much more.
	begun, end, long := mean(few[15:45]), mean(few[70:]), mean(many[keepMany-5:])
	t.Logf("tables: %d bytes on average in the days 15 to 44, %d in the last 30; with %d days kept %d", begun, end, keepMany, long)
	if end > begun+begun/2 {
		t.Errorf("tables grew from %d to %d bytes while as much went as came: %d", begun, end, few)
	}
	if long < 3*end {
		t.Errorf("%d days take %d bytes of tables, %d days %d: nothing is reclaimed", keepMany, long, keepFew, end)
	}
}

func mean(sizes []uint64) (m uint64) {
	for _, s := range sizes {
		m += s
	}
	return m / uint64(len(sizes))
}

// hundredDays returns how large the tables were after each day.
func hundredDays(t *testing.T, keep int) []uint64 {
	window := max(250, *perDay/10)
	s := newSite(t, auditlog.Origin{Interval: uint64(window)}, Options{Keep: time.Duration(keep) * day, Every: day})
	s.meters = 50
	s.step()
	var sizes, firsts []uint64
	for d := range days {
		s.captureDay(*perDay)
		sizes, firsts = append(sizes, tables(t, s.dir)), append(firsts, s.first())
		switch first := int(s.first()); {
		case d < keep && first != 0:
			t.Fatalf("day %d: pruned up to %d", d, first)
		case first > max(0, (d+1-keep)**perDay+2*window):
			t.Fatalf("day %d: pruned up to %d, which is not %d days old", d, first, keep)
		// A prune entry that fills its window is carried out a day sooner.
		case d > keep+3 && first-int(firsts[d-2]) < *perDay-2*window:
			t.Fatalf("day %d: pruned from %d up to %d only in two days", d, firsts[d-2], first)
		}
	}
	if s.first() < uint64((days-keep-3)**perDay) {
		t.Errorf("pruned up to %d in the end", s.first())
	}
	checkRest(t, s)
	return sizes
}

// captureDay records a day's entries, while the worker looks each hour.
func (s *site) captureDay(entries int) {
	s.t.Helper()
	const hours, bursts = 24, 4
	for hour := range hours {
		s.clock.move(time.Hour, time.Hour)
		var both errgroup.Group
		both.Go(func() error {
			_, err := s.worker.step(s.t.Context())
			return err
		})
		if hour%(hours/bursts) == 0 {
			both.Go(func() error { return s.capture(entries / bursts / 2) })
		}
		if err := both.Wait(); err != nil {
			s.t.Fatal(err)
		}
	}
}

// capture appends exchanges as capture does: many at a time, answers behind other
// requests. It returns when all are durable.
func (s *site) capture(exchanges int) error {
	const together = 250
	for ; exchanges > 0; exchanges -= together {
		var requests, answers []*auditlog.Pending
		for range min(exchanges, together) {
			s.asked++
			meter := fmt.Sprint("m", s.asked%s.meters)
			requests = append(requests, s.append(&logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{
				MeterIds: []string{meter}, Body: fmt.Appendf(nil, `{"meter":%q,"kwh":%d.%03d,"signature":"%s"}`, meter, s.asked*7919%5000, s.asked%1000, noise(s.asked, 4)),
			}}}))
		}
		for _, p := range requests {
			placed, err := p.Wait(s.t.Context())
			if err != nil {
				return err
			}
			answers = append(answers, s.append(&logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{
				RequestOffset: placed.Offset, Output: fmt.Appendf(nil, `{"ok":true,"total":%d,"receipt":"%s"}`, placed.Offset*31%100000, noise(int(placed.Offset), 2)),
			}}}))
		}
		for _, p := range answers {
			if _, err := p.Wait(s.t.Context()); err != nil {
				return err
			}
		}
	}
	return nil
}

// noise is text that does not compress below some times 32 octets.
func noise(n, times int) string {
	var b []byte
	for i := range times {
		h := chain.EventHash(fmt.Append(nil, n, " ", i))
		b = append(b, h[:]...)
	}
	return base64.StdEncoding.EncodeToString(b)
}

// tables is how large the log's table files are, all together.
func tables(t *testing.T, dir string) (size uint64) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, "db"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".sst" {
			info, err := d.Info()
			if err != nil {
				return nil //nolint:nilerr // compacted away meanwhile
			}
			size += uint64(info.Size())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return size
}

// checkRest verifies the log from its cut, and that it says exactly what was pruned.
func checkRest(t *testing.T, s *site) {
	t.Helper()
	v := s.view()
	defer v.Close()
	cut, ok := v.Cut()
	if !ok {
		t.Fatal("there is no cut")
	}
	r, err := verify.Verify(t.Context(), v, verify.Options{Trusted: map[uint64]chain.Hash{cut.Offset: cut.Root}})
	if err != nil || !r.OK() {
		t.Fatalf("%v, %v", r, err)
	}
	if r.First != cut.Offset || r.Cut != cut || r.Entries != r.Tip-cut.Offset+1 || r.TrustedRoots != 1 {
		t.Errorf("verified from %d: %+v", cut.Offset, r)
	}
	if p := r.Pruned; p.Cut != cut || !p.Complete || p.Gone+p.Kept != cut.Offset || p.Kept == 0 || p.Gone < 2*cut.Offset/3 {
		t.Errorf("what was pruned: %+v", p)
	}
}
