package query_test

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	_ "gocloud.dev/blob/fileblob" // archives in directories

	"verbatim/sidecar/archive"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/query"
)

var (
	logs      = flag.Uint64("query.logs", 6, "random logs that are selected from")
	firstSeed = flag.Uint64("query.seed", 1, "the first one's seed")
)

// selection is a random one; with contradictions and bounds outside the log.
func (g *randomLog) selection(v *auditlog.View) (s query.Selection) {
	first, tip := v.First(), v.Tip().Offset
	maybe := func(into **uint64, value uint64) {
		if g.r.IntN(3) == 0 {
			*into = &value
		}
	}
	offset := func() uint64 { return first + g.r.Uint64N(tip-first+1) }
	clock := func() uint64 {
		if g.r.IntN(40) == 0 {
			return []uint64{0, 1, math.MaxUint64, math.MaxUint64 - 1}[g.r.IntN(4)]
		}
		return g.times[g.r.IntN(len(g.times))] + uint64(g.r.IntN(3)) - 1
	}
	maybe(&s.Start, offset())
	maybe(&s.End, offset())
	maybe(&s.FromMS, clock())
	maybe(&s.ToMS, clock())
	if g.r.IntN(2) == 0 {
		s.Meters = g.some(append(oddMeters, "nobody", "\xff"), 3)
	}
	if g.r.IntN(3) == 0 {
		for range g.r.IntN(4) {
			s.Kinds = append(s.Kinds, auditlog.Kinds()[g.r.IntN(10)])
		}
	}
	if g.r.IntN(3) == 0 {
		s.Statuses = statuses(g.t, g.some([]string{"abort", "100", "1xx", "200", "2xx", "404", "4xx", "503", "5xx", "6xx", "9xx", "1000", "65535", "777"}, 3)...)
	}
	s.Order = query.Order(g.r.IntN(2))
	if g.r.IntN(4) == 0 {
		s.Limit = uint64(g.r.IntN(5))
	}
	return s
}

// check selects from a view a number of times.
func (g *randomLog) check(v *auditlog.View, times int) {
	g.t.Helper()
	list, alone := g.entries(v)
	for range times {
		s := g.selection(v)
		if len(s.Meters) > 0 && v.First() > 0 {
			s.Limit = 0 // what an orphan belongs to may be known or not
		}
		refused := error(nil)
		switch {
		case s.Check() != nil:
			refused = query.ErrSelection
		case s.FromMS != nil && *s.FromMS > list[len(list)-1].clockMS, s.ToMS != nil && *s.ToMS < list[0].clockMS:
			refused = query.ErrRange
		}
		if refused != nil {
			if got, err := selected(g.t.Context(), v, s); !errors.Is(err, refused) || got != nil {
				g.t.Fatalf("%s: %v, %v; want that %v", show(s), got, err, refused)
			}
			continue
		}
		want := expected(list, s)
		g.compare(v, s, want, alone)
		if len(want) == 0 {
			continue
		}
		at := want[g.r.IntN(len(want))]
		s.Limit = 0
		want = expected(list, s)
		s.Cursor = s.Cursors(v.ID()).After(at)
		g.compare(v, s, want[slices.Index(want, at)+1:], alone)
	}
}

// compare selects, and wants that.
func (g *randomLog) compare(v *auditlog.View, s query.Selection, want []uint64, alone orphans) {
	g.t.Helper()
	got, err := selected(g.t.Context(), v, s)
	if len(s.Meters) > 0 {
		want, got = alone.leftOutOf(slices.Clone(want)), alone.leftOutOf(got)
	}
	if err != nil || !slices.Equal(got, want) {
		g.t.Fatalf("%s, cursor %q: %v, %v; want %v", show(s), s.Cursor, got, err, want)
	}
}

// prune cuts the log at a checkpoint that is below every open request, if there is one.
func (g *randomLog) prune() {
	g.t.Helper()
	v, err := g.log.View()
	if err != nil {
		g.t.Fatal(err)
	}
	list, err := v.Checkpoints(g.t.Context(), 0)
	if err != nil {
		g.t.Fatal(err)
	}
	_, behind, err := v.Indexed()
	if err != nil {
		g.t.Fatal(err)
	}
	list = slices.DeleteFunc(list, func(c auditlog.CheckpointAt) bool {
		return c.Offset <= v.First() || c.Offset >= behind || slices.ContainsFunc(g.open, func(o uint64) bool { return o <= c.Offset })
	})
	v.Close()
	if len(list) == 0 {
		return
	}
	pruneAt(g.t, g.log, list[g.r.IntN(len(list))].Checkpoint.GetCheckpointId(), g.r.IntN(2) == 0)
}

// snapshot checks what another process sees of a log that is being written.
func (g *randomLog) snapshot(times int) {
	g.t.Helper()
	dir, err := g.log.Snapshot()
	if err != nil {
		g.t.Fatal(err)
	}
	v, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		g.t.Fatal(err)
	}
	g.check(v, times)
	v.Close()
	if err := auditlog.RemoveSnapshot(dir); err != nil {
		g.t.Fatal(err)
	}
}

// archived checks what an archive of a log gives back, if there can be one: something is
// sealed, and so is the last order to prune.
func (g *randomLog) archived(times int) {
	g.t.Helper()
	view := func() (*auditlog.View, func(), error) {
		v, err := g.log.View()
		if err != nil {
			return nil, nil, err
		}
		return v, v.Close, nil
	}
	v, done, err := view()
	if err != nil {
		g.t.Fatal(err)
	}
	cut, _ := v.Cut()
	last, err := v.LastCheckpoint()
	done()
	if err != nil {
		g.t.Fatal(err)
	}
	if last == nil || last.Offset < cut.PruneOffset {
		return
	}
	b, err := archive.Open(g.t.Context(), "file://"+g.t.TempDir(), nil)
	if err != nil {
		g.t.Fatal(err)
	}
	if _, err = archive.New(archive.Options{Bucket: b, View: view}).Once(g.t.Context()); err != nil {
		g.t.Fatal(err)
	}
	dir := g.t.TempDir()
	if _, err := b.Restore(g.t.Context(), dir, archive.RestoreOptions{}); err != nil {
		g.t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		g.t.Fatal(err)
	}
	if v, err = auditlog.OpenReadOnly(dir); err != nil {
		g.t.Fatal(err)
	}
	g.check(v, times)
	v.Close()
}

// live goes on at cursors while the log is written.
func (g *randomLog) live(events int) {
	g.t.Helper()
	before, err := g.log.View()
	if err != nil {
		g.t.Fatal(err)
	}
	old, _ := g.entries(before)
	first := before.First()
	s := g.selection(before)
	s.Start, s.End, s.FromMS, s.ToMS = nil, nil, nil, nil
	for s.Check() != nil {
		s.Kinds = g.selection(before).Kinds
	}
	before.Close()
	seed := g.r.Uint64()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range events {
			g.event()
		}
	}()
	r := rand.New(rand.NewPCG(seed, 1))
	var got []uint64
	for ended := false; ; {
		select {
		case <-done:
			ended = true
		default:
		}
		v, err := g.log.View()
		if err != nil {
			g.t.Fatal(err)
		}
		s.Limit = uint64(r.IntN(5))
		part, err := selected(g.t.Context(), v, s)
		if err != nil {
			g.t.Fatalf("%s: %v", show(s), err)
		}
		got = append(got, part...)
		if len(part) > 0 {
			s.Cursor = s.Cursors(v.ID()).After(part[len(part)-1])
		}
		v.Close()
		if ended && len(part) == 0 {
			break
		}
	}
	after, err := g.log.View()
	if err != nil {
		g.t.Fatal(err)
	}
	defer after.Close()
	now, alone := g.entries(after)
	s.Limit, s.Cursor = 0, ""
	want := expected(now, s)
	if s.Order == query.NewestFirst {
		// It began at some state of the log, and then went on to its beginning.
		newest := old[len(old)-1].offset
		for len(want) > 0 && (len(got) == 0 || want[0] != got[0]) && want[0] > newest {
			want = want[1:]
		}
	}
	if len(s.Meters) > 0 && first > 0 {
		want, got = alone.leftOutOf(want), alone.leftOutOf(got)
	}
	if !slices.Equal(got, want) {
		g.t.Fatalf("%s, while it was written: %v; want %v", show(s), got, want)
	}
}

// What an index gives is what a look at every entry gives: of random logs, while they are
// written, opened again, pruned and archived, for random selections, cut anywhere.
func TestARandomSelectionIsWhole(t *testing.T) {
	for seed := *firstSeed; seed < *firstSeed+*logs; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			g := newRandomLog(t, seed)
			for range 12 {
				g.viewed(20, func() {
					for range g.r.IntN(60) {
						g.event()
					}
				})
				switch g.r.IntN(10) {
				case 0:
					g.close()
					v, err := auditlog.OpenReadOnly(g.dir)
					if err != nil {
						t.Fatal(err)
					}
					g.check(v, 40)
					v.Close()
					g.reopen()
				case 1:
					g.prune()
				case 2:
					g.snapshot(40)
				case 3, 4:
					g.live(50)
				case 5:
					g.archived(40)
				}
				g.viewed(40, func() {})
			}
			g.close()
		})
	}
}

// viewed checks a view that was opened before something was done.
func (g *randomLog) viewed(times int, do func()) {
	g.t.Helper()
	v, err := g.log.View()
	if err != nil {
		g.t.Fatal(err)
	}
	defer v.Close()
	do()
	g.check(v, times)
}
