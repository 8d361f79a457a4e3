package archive_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/archive"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/query"
	"verbatim/sidecar/verify"
)

// prunedLog is a log of which the first half is pruned, two starts among it.
func prunedLog(t *testing.T) *auditlog.Log {
	t.Helper()
	l := newLog(t)
	for _, boot := range []string{"a", "b"} {
		put(t, l, &logv1.Event{Kind: &logv1.Event_Start{Start: &logv1.Start{BootId: boot}}})
		record(t, l, 20)
	}
	prune(t, l, 3)
	return l
}

// prune prunes a log at a checkpoint as retention does, by an honest entry that is
// sealed.
func prune(t *testing.T, l *auditlog.Log, id uint64) (at uint64, c auditlog.CheckpointAt) {
	t.Helper()
	at, c = order(t, l, id)
	if err := errors.Join(l.CutSynced(t.Context(), at), l.ClearCut(t.Context())); err != nil {
		t.Fatal(err)
	}
	return at, c
}

// order writes the entry that orders a cut, and waits until it is sealed.
func order(t *testing.T, l *auditlog.Log, id uint64) (at uint64, c auditlog.CheckpointAt) {
	t.Helper()
	v, err := l.View()
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if c, err = v.Checkpoint(id); err != nil {
		t.Fatal(err)
	}
	var stay []byte
	policy := auditlog.PrunePolicy{Keep: 1, Clock: auditlog.PruneByCount, Cut: auditlog.PruneSealed}
	keep := func(e auditlog.Entry, err error) {
		if err != nil {
			t.Fatal(err)
		}
		if kind, _, err := auditlog.Peek(e.Raw); err != nil || auditlog.StaysForEver(kind) {
			h := e.Hash()
			stay, policy.Kept = append(stay, h[:]...), policy.Kept+1
		}
	}
	for e, err := range v.Kept(t.Context()) {
		keep(e, err)
	}
	for e, err := range v.Entries(t.Context(), v.First(), c.Offset) {
		keep(e, err)
	}
	policy.KeptHash = chain.EventHash(stay)
	order := &logv1.Prune{FirstOffset: v.First(), LastOffset: c.Offset, Root: c.Root[:], Policy: policy.String()}
	v.Close()
	at = put(t, l, &logv1.Event{Kind: &logv1.Event_Prune{Prune: order}})
	record(t, l, 10)
	awaitStored(t, l)
	return at, c
}

// awaitStored waits until every sealed window is.
func awaitStored(t *testing.T, l *auditlog.Log) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		v, err := l.View()
		if err != nil {
			t.Fatal(err)
		}
		id, _, err := v.Indexed()
		w, err2 := v.OpenWindow(t.Context())
		v.Close()
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		if id == w.Checkpoints {
			return
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("the windows are not stored")
		}
	}
}

// An archive that is begun late has what is left, and says where it begins and why.
func TestAnArchiveBegunOnAPrunedLog(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		l, b := prunedLog(t), p.open(t)
		keepRecords(t, l, "anchor/receipt/", 0, 9)
		v, err := l.View()
		if err != nil {
			t.Fatal(err)
		}
		cut, _ := v.Cut()
		v.Close()
		o := options(b, l)
		for range 2 {
			s := archived(t, o)
			if s.First != cut.Offset || s.Pruned != cut.PruneOffset || s != archived(t, o) {
				t.Errorf("archived %+v of a log that was cut at %+v", s, cut)
			}
			got := restored(t, b)
			if now, ok := got.Cut(); !ok || now != cut {
				t.Errorf("restored, it was cut at %+v, the log at %+v", now, cut)
			}
			sameLog(t, l, got, s.Through)
			now, err := l.View()
			if err != nil {
				t.Fatal(err)
			}
			if want, found := offsetsOf(t, now, "m1", s.Through.Offset), offsetsOf(t, got, "m1", s.Through.Offset); len(found) < 20 || !slices.Equal(found, want) {
				t.Errorf("of m1 there are %v, in the log %v", found, want)
			}
			now.Close()
			record(t, l, 30)
		}
	})
}

// offsetsOf asks the index for what a meter has up to an offset.
func offsetsOf(t *testing.T, v *auditlog.View, meter string, to uint64) (list []uint64) {
	t.Helper()
	for e, err := range query.Select(t.Context(), v, query.Selection{Meters: []string{meter}}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Offset <= to {
			list = append(list, e.Offset)
		}
	}
	return list
}

// What is pruned later stays in the archive.
func TestALogThatIsPrunedAgainIsArchivedOn(t *testing.T) {
	l, b := prunedLog(t), folder(t).open(t)
	o := options(b, l)
	first := archived(t, o)
	before := entries(t, restored(t, b), first.Through.Offset)
	prune(t, l, 6)
	s := archived(t, o)
	after := restored(t, b)
	if got := entries(t, after, first.Through.Offset); !slices.Equal(got, before) || after.First() != first.First {
		t.Errorf("it begins at %d with %d entries, before at %d with %d", after.First(), len(got), first.First, len(before))
	}
	r, err := verify.Verify(t.Context(), after, verify.Options{Trusted: map[uint64]chain.Hash{s.Through.Offset: s.Through.Root}})
	if err != nil || !r.OK() || r.Pruned.NotCarriedOut != 1 || !r.Pruned.Complete {
		t.Errorf("%+v, %v", r, err)
	}
}

// archivedInSteps makes a manifest of each window.
func archivedInSteps(t *testing.T, o archive.Options) {
	t.Helper()
	a := archive.New(o)
	a.SetSizes(1, 60, 1)
	if _, err := a.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// An archive that does not reach to the prune entry yet can't account for where it
// begins.
func TestABeginningWithoutItsPruneEntryIsNotRestored(t *testing.T) {
	p := folder(t)
	b := p.open(t)
	archivedInSteps(t, options(b, prunedLog(t)))
	for _, key := range p.objects(t) {
		if strings.HasPrefix(key, "manifests/") && !strings.HasSuffix(key, "00") {
			remove(t, p.path(key))
		}
	}
	err := refused(t, b, archive.RestoreOptions{})
	if !errors.Is(err, archive.ErrMissing) || !strings.Contains(err.Error(), "which says why, is not archived yet") {
		t.Errorf("%v", err)
	}
}

// Whoever owns the storage, and can compute digests, can't make up a beginning.
func TestAForgedBeginningIsRefused(t *testing.T) {
	l := prunedLog(t)
	type forgery func(m []*archive.Manifest, kept []auditlog.Entry, nodes map[chain.NodeID]chain.Hash) []auditlog.Entry
	every := func(change func(*archive.Remains)) forgery {
		return func(m []*archive.Manifest, kept []auditlog.Entry, _ map[chain.NodeID]chain.Hash) []auditlog.Entry {
			for _, each := range m {
				change(each.Remains)
			}
			return kept
		}
	}
	stays := func(change func(kept []auditlog.Entry) []auditlog.Entry) forgery {
		return func(_ []*archive.Manifest, kept []auditlog.Entry, _ map[chain.NodeID]chain.Hash) []auditlog.Entry {
			return change(kept)
		}
	}
	proves := func(change func(nodes map[chain.NodeID]chain.Hash)) forgery {
		return func(_ []*archive.Manifest, kept []auditlog.Entry, nodes map[chain.NodeID]chain.Hash) []auditlog.Entry {
			change(nodes)
			return kept
		}
	}
	for name, c := range map[string]struct {
		forge forgery
		text  string
	}{
		"another entry orders it": {every(func(r *archive.Remains) { r.Cut.PruneOffset-- }), "is no prune entry"},
		"another root":            {every(func(r *archive.Remains) { r.Cut.Root[3] ^= 1 }), "but the log was cut there at root"},
		"manifests that disagree": {func(m []*archive.Manifest, kept []auditlog.Entry, _ map[chain.NodeID]chain.Hash) []auditlog.Entry {
			m[1].Remains.Cut.PruneOffset++
			return kept
		}, "or they name other remains"},
		"a start is missing": {stays(func(kept []auditlog.Entry) []auditlog.Entry {
			return slices.Delete(kept, 1, 2)
		}), "entries up to here are there that stay for ever"},
		"a checkpoint is missing": {stays(func(kept []auditlog.Entry) []auditlog.Entry {
			return slices.Delete(kept, 2, 3)
		}), "one is missing"},
		"all are missing": {stays(func([]auditlog.Entry) []auditlog.Entry { return nil }), "genesis"},
		"a start was changed": {stays(func(kept []auditlog.Entry) []auditlog.Entry {
			kept[1].Raw = bytes.Replace(kept[1].Raw, []byte("a"), []byte("c"), 1)
			return kept
		}), "not in the tree"},
		"another log's genesis": {stays(func(kept []auditlog.Entry) []auditlog.Entry {
			kept[0].Raw = otherGenesis(t, kept[0])
			return kept
		}), "its genesis is that of log"},
		"a request stays, too": {stays(func(kept []auditlog.Entry) []auditlog.Entry {
			return slices.Insert(kept, 2, auditlog.Entry{Offset: 2, Raw: kept[1].Raw})
		}), "stays for ever"},
		"every node is another": {proves(func(nodes map[chain.NodeID]chain.Hash) {
			for id, h := range nodes {
				h[0] ^= 1
				nodes[id] = h
			}
		}), "erkle"},
		"no node": {proves(func(nodes map[chain.NodeID]chain.Hash) { clear(nodes) }), "is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			b := folder(t).open(t)
			o := options(b, l)
			o.Keep = nil
			archivedInSteps(t, o)
			if err := b.Forge(t.Context(), c.forge); err != nil {
				t.Fatal(err)
			}
			err := refused(t, b, archive.RestoreOptions{})
			if !errors.Is(err, archive.ErrAltered) || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "\n") {
				t.Errorf("restored: %v, want %q", err, c.text)
			}
		})
	}
}

func otherGenesis(t *testing.T, e auditlog.Entry) []byte {
	t.Helper()
	ev, err := e.Event()
	if err != nil {
		t.Fatal(err)
	}
	ev.GetGenesis().LogId[0] ^= 1
	raw, err := proto.Marshal(ev)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Nothing begins with what does not prove itself: here by an entry that is not sealed.
func TestABeginningThatIsNotSealedDoesNotGoUp(t *testing.T) {
	l, p := site(t), folder(t)
	record(t, l, 1)
	cut(t, l, 2)
	_, err := archiver(options(p.open(t), l)).Once(t.Context())
	if !errors.Is(err, archive.ErrBroken) || len(p.objects(t)) > 0 {
		t.Errorf("archived: %v, %v", err, p.objects(t))
	}
}

// A hole between what is archived and what the log has stays one.
func TestWhatWasPrunedBeforeItWasArchivedIsMissed(t *testing.T) {
	l, p := newLog(t), folder(t)
	record(t, l, 20)
	o := options(p.open(t), l)
	archived(t, o)
	record(t, l, 40)
	prune(t, l, 6)
	if _, err := archiver(o).Once(t.Context()); !errors.Is(err, archive.ErrHole) {
		t.Errorf("archived: %v", err)
	}
}

// TestAnArchiveThatBeginsBehindTheLog: a copy of the log from before it was pruned has
// more than an archive that was begun after.
func TestAnArchiveThatBeginsBehindTheLog(t *testing.T) {
	l, p := newLog(t), folder(t)
	record(t, l, 40)
	at, _ := order(t, l, 3)
	before, err := l.View()
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	if err := l.CutSynced(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	o := options(p.open(t), l)
	archived(t, o)
	o.Keep, o.View = nil, func() (*auditlog.View, func(), error) { return before, func() {}, nil }
	if _, err := archiver(o).Once(t.Context()); !errors.Is(err, archive.ErrLate) {
		t.Errorf("archived: %v", err)
	}
}
