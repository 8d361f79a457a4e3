package retention

import (
	"errors"
	"strings"
	"testing"
	"time"

	retentionv1 "verbatim/proto/verbatim/retention/v1"
	"verbatim/sidecar/auditlog"
)

func holdAll(reason string) *retentionv1.Hold {
	return &retentionv1.Hold{Reason: reason, Scope: &retentionv1.Hold_All{All: &retentionv1.All{}}}
}

func holdMeter(id string) *retentionv1.Hold {
	return &retentionv1.Hold{Reason: "a case", Scope: &retentionv1.Hold_MeterId{MeterId: id}}
}

func holdRange(from, to uint64) *retentionv1.Hold {
	return &retentionv1.Hold{Reason: "a case", Scope: &retentionv1.Hold_Range{Range: &retentionv1.Range{From: from, To: to}}}
}

func (s *site) holds() []*retentionv1.Hold {
	s.t.Helper()
	v := s.view()
	defer v.Close()
	list, err := Holds(s.t.Context(), v)
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

// add adds a hold and returns its id and the first offset that was there.
func (s *site) add(h *retentionv1.Hold) (string, uint64) {
	s.t.Helper()
	added, first, err := s.worker.AddHoldSynced(s.t.Context(), h)
	if err != nil {
		s.t.Fatal(err)
	}
	return added.GetId(), first
}

func (s *site) remove(id string) {
	s.t.Helper()
	if _, err := s.worker.RemoveHoldSynced(s.t.Context(), id); err != nil {
		s.t.Fatal(err)
	}
}

func TestHoldsSurviveAStop(t *testing.T) {
	t.Parallel()
	s := newSite(t, auditlog.Origin{}, hourly(day))
	id, first := s.add(holdMeter("m0"))
	if len(id) != idLength || first != 0 {
		t.Errorf("id %q, first %d", id, first)
	}
	s.restart()
	list := s.holds()
	if len(list) != 1 || list[0].GetId() != id || list[0].GetMeterId() != "m0" || list[0].GetAddedMs() != uint64(s.clock.Now().UnixMilli()) {
		t.Fatalf("holds %v", list)
	}
	s.remove(id)
	if _, err := s.worker.RemoveHoldSynced(t.Context(), id); !errors.Is(err, ErrNoHold) || !strings.Contains(err.Error(), id) {
		t.Errorf("removed twice: %v", err)
	}
	if len(s.holds()) != 0 {
		t.Errorf("holds %v", s.holds())
	}
}

func TestWhatIsNoHold(t *testing.T) {
	t.Parallel()
	s := newSite(t, auditlog.Origin{}, hourly(day))
	for name, h := range map[string]*retentionv1.Hold{
		"nothing": nil, "no reason": {Scope: &retentionv1.Hold_All{All: &retentionv1.All{}}}, "no scope": {Reason: "r"},
		"no meter": holdMeter(""), "no range": holdRange(7, 6),
	} {
		if _, _, err := s.worker.AddHoldSynced(t.Context(), h); !errors.Is(err, ErrHold) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(s.holds()) != 0 {
		t.Errorf("holds %v", s.holds())
	}
}

// A hold that is added while a pruning is under way wins as long as reads are not
// denied; then it is told what is gone.
func TestAHoldWinsUntilTheCut(t *testing.T) {
	t.Parallel()
	s := ripe(t, ripeLog(t))
	s.step()
	if s.worker.Status().UnderWay == nil || len(s.prunes()) != 1 {
		t.Fatalf("no prune entry: %+v", s.worker.Status())
	}
	id, first := s.add(holdRange(25, 30))
	if first != 0 {
		t.Errorf("pruned up to %d when the hold was added", first)
	}
	s.seal()
	s.step()
	if s.first() != 0 || s.worker.Status().UnderWay != nil {
		t.Fatalf("pruned up to %d in spite of the hold: %+v", s.first(), s.worker.Status())
	}
	// What the hold does not protect goes by an entry of its own.
	s.pass(2 * time.Hour)
	s.seal()
	s.step()
	if first := s.first(); first != 20 {
		t.Fatalf("pruned up to %d, the hold is on 25", first)
	}
	if _, first := s.add(holdRange(5, 12)); first != 20 {
		t.Errorf("a hold on what is gone is told %d", first)
	}
	s.remove(id)
	s.pass(2 * time.Hour)
	s.seal()
	s.step()
	if first := s.first(); first <= 20 {
		t.Errorf("pruned up to %d, the hold is gone", first)
	}
	checkRest(t, s)
}
