package auditlog

import (
	"fmt"
	"math/rand/v2"
	"slices"
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
			var meters []MeterHash
			for range random.IntN(4) {
				name := fmt.Sprint("m", random.IntN(5))
				names = append(names, name) // the same one twice, too
				if t := s.Meter([]byte(name)); !slices.Contains(meters, t) {
					meters = append(meters, t)
				}
			}
			kind, status := Kind(random.IntN(20)), uint32(random.IntN(3))
			lists.Add(offset, kind, status, names)
			s.Add(offset, kind, status, meters)
			offset += uint64(1 + random.IntN(300))
		}
		var want ListSum
		lists.Each(func(t Term, offsets []uint64) { h.stored(&want, termKey(t, window), encodePostings(offsets)) })
		if got := s.Sum(window); got != want {
			t.Errorf("window %d: %v, want %v", window, got, want)
		}
		s.Reset()
	}
	if got := s.Sum(0); got != (ListSum{}) {
		t.Errorf("%v of nothing", got)
	}
}

// Every difference makes another sum: of a term, of an offset, and of how a list is
// spelled.
func TestOtherListsHaveOtherSums(t *testing.T) {
	h := NewListHasher()
	sum := func(lists ...[2]string) (s ListSum) {
		for _, l := range lists {
			h.stored(&s, []byte(l[0]+"\x00\x00\x00\x00\x00\x00\x00\x07"), []byte(l[1]))
		}
		return s
	}
	seen := map[ListSum]string{{}: "nothing"}
	for name, s := range map[string]ListSum{
		"two lists":                   sum([2]string{"\x02ma", "\x05\x01"}, [2]string{"\x02mb", "\x06"}),
		"exchanged":                   sum([2]string{"\x02mb", "\x05\x01"}, [2]string{"\x02ma", "\x06"}),
		"an offset of the other":      sum([2]string{"\x02ma", "\x05"}, [2]string{"\x02mb", "\x06\x00"}),
		"one is missing":              sum([2]string{"\x02ma", "\x05\x01"}),
		"an offset is missing":        sum([2]string{"\x02ma", "\x05"}, [2]string{"\x02mb", "\x06"}),
		"another offset":              sum([2]string{"\x02ma", "\x05\x02"}, [2]string{"\x02mb", "\x06"}),
		"an offset twice":             sum([2]string{"\x02ma", "\x05\x01\x00"}, [2]string{"\x02mb", "\x06"}),
		"an empty list":               sum([2]string{"\x02ma", "\x05\x01"}, [2]string{"\x02mb", "\x06"}, [2]string{"\x02mc", ""}),
		"a longer varint":             sum([2]string{"\x02ma", "\x85\x00\x01"}, [2]string{"\x02mb", "\x06"}),
		"a longer varint of a length": sum([2]string{"\x82\x00ma", "\x05\x01"}, [2]string{"\x02mb", "\x06"}),
		"a number that has no end":    sum([2]string{"\x02ma", "\x05\x01\x80"}, [2]string{"\x02mb", "\x06"}),
		"a number that is too large":  sum([2]string{"\x02ma", "\x05\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"}, [2]string{"\x02mb", "\x06"}),
	} {
		if other, known := seen[s]; known {
			t.Errorf("%s: the sum of %s", name, other)
		}
		seen[s] = name
	}
}
