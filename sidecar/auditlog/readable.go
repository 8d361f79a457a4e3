package auditlog

import "slices"

// Range is some consecutive offsets, both inclusive.
type Range struct {
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

// maxProbes bounds how often a place behind damage is looked for.
const maxProbes = 1 << 14

// Readable are the ranges of entries from..to that the storage can give, in order,
// whatever is between them. Where much is damaged some of them can be missing.
func (r *Remains) Readable(from, to uint64) []Range {
	var list []Range
	add := func(first, last uint64) {
		if first, last = max(first, from), min(last, to); first > last {
			return
		}
		if n := len(list); n > 0 && first == list[n-1].Last+1 {
			list[n-1].Last = last
			return
		}
		list = append(list, Range{first, last})
	}
	probe(from, to, func(at uint64) (uint64, error) {
		err := r.blocks(at, func(b *block, _ bool) bool {
			at = b.first + b.count()
			add(b.first, at-1)
			return at <= to
		})
		return at, err
	})
	probe(from, to, func(at uint64) (uint64, error) {
		it := r.s.db.NewIteratorCF(r.s.read, r.s.family(cfEntries))
		defer it.Close()
		for it.Seek(offsetKey(at)); it.Valid() && at <= to; it.Next() {
			e, err := entryAt(it)
			if err != nil {
				return at, err
			}
			at = e.Offset + 1
			add(e.Offset, e.Offset)
		}
		return at, it.Err()
	})
	slices.SortFunc(list, func(a, b Range) int {
		if a.First < b.First {
			return -1
		}
		return 1
	})
	return merge(list)
}

// probe calls read until it comes to an end without an error; behind one it goes on at
// a later offset.
func probe(from, to uint64, read func(at uint64) (next uint64, err error)) {
	at := from
	for n := 0; n < maxProbes && at <= to; n++ {
		next, err := read(at)
		if err == nil {
			return
		}
		at = max(next, at) + max(1, min(blockEntries, (to-from)/maxProbes))
	}
}

// merge joins ranges that touch each other.
func merge(list []Range) []Range {
	var merged []Range
	for _, r := range list {
		if n := len(merged); n > 0 && r.First <= merged[n-1].Last+1 {
			merged[n-1].Last = max(merged[n-1].Last, r.Last)
			continue
		}
		merged = append(merged, r)
	}
	return merged
}
