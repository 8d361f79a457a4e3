package verify

import (
	"slices"

	"verbatim/sidecar/auditlog"
)

// openSlots is how many requests may be open and cost next to nothing: those whose
// offsets have other remainders.
const openSlots = 1 << 10

// openRequests are the requests without an outcome, and their meters.
type openRequests struct {
	slots [openSlots]openRequest
	more  map[uint64]*openRequest // whose slot was taken
	count int
}

type openRequest struct {
	offset uint64
	open   bool
	pruned bool // its entry is
	meters []auditlog.MeterHash
}

// add opens a request. Its meters are the caller's to set.
func (o *openRequests) add(offset uint64) *openRequest {
	if r := o.at(offset); r != nil {
		o.end(r) // a checkpoint has named it before it came
	}
	r := &o.slots[offset%openSlots]
	if r.open {
		r = &openRequest{}
		o.more[offset] = r
	}
	*r = openRequest{offset: offset, open: true, meters: r.meters[:0]}
	o.count++
	return r
}

// at returns an open request, nil if it is not open. It is good until the next one is added.
func (o *openRequests) at(offset uint64) *openRequest {
	if r := &o.slots[offset%openSlots]; r.open && r.offset == offset {
		return r
	}
	return o.more[offset]
}

func (o *openRequests) end(r *openRequest) {
	r.open = false
	delete(o.more, r.offset)
	o.count--
}

// offsets are those of all of them, ascending.
func (o *openRequests) offsets() []uint64 {
	list := make([]uint64, 0, o.count)
	for offset := range o.more {
		list = append(list, offset)
	}
	for i := 0; i < openSlots && len(list) < o.count; i++ {
		if o.slots[i].open {
			list = append(list, o.slots[i].offset)
		}
	}
	slices.Sort(list)
	return list
}
