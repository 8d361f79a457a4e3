package auditlog

import (
	"context"
	"iter"
)

// Entries yields the stored entries from..to, both inclusive, in order. A hole
// is not an error: the caller sees it in the offsets. After an error it ends.
// Errors: ErrPruned if from is before First; ErrReopened, ErrDamaged, ctx's.
//
// While entries are yielded a goroutine of its own reads the next ones. It ends with
// the iteration.
func (v *View) Entries(ctx context.Context, from, to uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for c, err := range v.Chunks(ctx, from, to) {
			for _, e := range c.Entries {
				if !yield(e, nil) {
					return
				}
			}
			if err != nil && !yield(Entry{Offset: c.Next}, err) {
				return
			}
		}
	}
}
