package auditlog

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// The sums that entries give are those of the lists that the index stores of them.
func TestSumsOfEntriesAreThoseOfTheirLists(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	h := NewListHasher()
	s := h.Summer()
	offset := uint64(0)
	for window := range uint64(20) {
		lists := &Lists{}
		for range random.IntN(60) {
			var names []string
			var meters []*Meter
			for range random.IntN(4) { // the same one twice, too
				name := fmt.Sprint("m", random.IntN(5))
				names, meters = append(names, name), append(meters, s.Meter([]byte(name)))
			}
			kind, status := Kind(random.IntN(20)), uint32(random.IntN(3))
			lists.Add(offset, kind, status, names)
			s.Add(offset, kind, status, meters)
			offset += uint64(1 + random.IntN(300))
		}
		var want ListSum
		lists.Each(func(t Term, offsets []uint64) { want.add(h.list(termKey(t, window), encodePostings(offsets))) })
		if got := s.Sum(window); got != want {
			t.Errorf("window %d: %v, want %v", window, got, want)
		}
		if got := s.Sum(window + 1); got == want && want.lists > 0 {
			t.Errorf("window %d has the sum of another", window)
		}
		s.Reset()
	}
	if got := s.Sum(0); got != (ListSum{}) {
		t.Errorf("%v of nothing", got)
	}
}
