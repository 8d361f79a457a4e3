package verify

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// Requests are open until they end, also those whose slots others have.
func TestOpenRequests(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	o := openRequests{more: map[uint64]*openRequest{}}
	want := map[uint64]bool{}
	for range 20_000 {
		offset := random.Uint64N(3 * openSlots)
		switch r := o.at(offset); {
		case (r != nil) != want[offset] || r != nil && r.offset != offset:
			t.Fatalf("%d is %v, want open: %v", offset, r, want[offset])
		case r == nil || random.IntN(10) == 0: // one that is open may come again
			o.add(offset)
			want[offset] = true
		default:
			o.end(r)
			delete(want, offset)
		}
		if o.count != len(want) {
			t.Fatalf("%d are open, want %d", o.count, len(want))
		}
	}
	if got := o.offsets(); !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
		t.Errorf("%d offsets, want %d", len(got), len(want))
	}
}
