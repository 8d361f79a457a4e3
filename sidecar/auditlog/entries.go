package auditlog

import (
	"context"
	"fmt"
	"iter"
)

// Bounds of one chunk of a scan: the log can't be closed while one is read.
const (
	chunkEntries = 4096
	chunkBytes   = 4 << 20
)

// Entries yields the stored entries from..to, both inclusive, in order. A hole
// is not an error: the caller sees it in the offsets. After an error it ends.
// Errors: ErrPruned if from is before First; ErrReopened, ErrDamaged, ctx's.
//
// While entries are yielded a goroutine of its own reads the next ones. It ends with
// the iteration.
func (v *View) Entries(ctx context.Context, from, to uint64) iter.Seq2[Entry, error] {
	to = min(to, v.tip.Offset)
	return func(yield func(Entry, error) bool) {
		if from < v.First() {
			yield(Entry{Offset: from}, fmt.Errorf("read entries: %w: the first that is left is %d", ErrPruned, v.First()))
			return
		}
		var spare []Entry
		for c := v.chunk(from, to, nil); ; {
			if err := ctx.Err(); err != nil {
				yield(Entry{}, fmt.Errorf("read entries: %w", context.Cause(ctx)))
				return
			}
			ahead := make(chan chunk, 1)
			if c.more {
				go func(next uint64, room []Entry) { ahead <- v.chunk(next, to, room) }(c.next, spare[:0])
			}
			done := !c.yield(yield)
			if !c.more {
				return
			}
			spare = c.entries
			if c = <-ahead; done {
				return
			}
		}
	}
}

// chunk is some entries that were read together.
type chunk struct {
	entries []Entry
	next    uint64 // the offset behind them
	more    bool   // there may be more
	err     error  // what ended them
}

// yield is false when no more are wanted.
func (c chunk) yield(yield func(Entry, error) bool) bool {
	for _, e := range c.entries {
		if !yield(e, nil) {
			return false
		}
	}
	return c.err == nil || yield(Entry{Offset: c.next}, c.err)
}

// chunk reads some entries into room; what it got before an error comes with it.
func (v *View) chunk(from, to uint64, room []Entry) chunk {
	c := chunk{entries: room, next: from}
	if from > to {
		return c
	}
	size, full := 0, false
	c.err = v.access.with(v.s, func() error {
		return v.s.scan(v.scan, from, func(e Entry) (bool, error) {
			if e.Offset > to {
				return false, nil
			}
			c.entries = append(c.entries, e)
			c.next = e.Offset + 1
			size += len(e.Raw)
			full = len(c.entries) >= chunkEntries || size >= chunkBytes
			return !full, nil
		})
	})
	c.more = full && c.err == nil && c.next <= to
	return c
}
