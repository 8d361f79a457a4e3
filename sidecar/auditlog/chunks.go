package auditlog

import (
	"context"
	"fmt"
	"iter"

	"verbatim/sidecar/chain"
)

// Bounds of one chunk of a scan: the log can't be closed while one is read. The first
// ones are smaller, so that the first entry comes at once.
const (
	firstChunk   = blockEntries
	largestChunk = 4 * blockEntries
	chunkBytes   = 4 << 20
	// chunkEntries bounds chunks of what is read pair by pair.
	chunkEntries = 4096
	// spareChunks is how many released chunks wait for their next use.
	spareChunks = 8
)

// Chunk is some consecutive entries that were read together.
type Chunk struct {
	// Entries ascend; a hole is seen in the offsets.
	Entries []Entry
	// Next is the offset behind the last one, or that which was to be read.
	Next uint64

	blocks []*block // with the entries' bytes
	used   int
	parts  []part // the entries that are in blocks
	spare  chan *Chunk
	more   bool // there may be more
	err    error
}

// part is some entries of a block, from one to before another.
type part struct {
	*block
	from, to uint64
}

// Hashes appends the entries' hashes, computed with the previous hashes that are stored:
// an entry's is the chain's if that is.
func (c *Chunk) Hashes(hashes []chain.Hash, b *chain.Batch) []chain.Hash {
	alone := c.Entries
	for _, p := range c.parts {
		skipped, hashed := uint32(0), p.sizes[p.from:p.to]
		for _, size := range p.sizes[:p.from] {
			skipped += size
		}
		hashes = b.Entries(hashes, p.first+p.from, p.hashes[p.from*chain.Size:], p.bodies[skipped:], hashed)
		alone = alone[len(hashed):]
	}
	for i := range alone {
		hashes = append(hashes, chain.EntryHash(alone[i].PrevEntryHash, alone[i].Offset, alone[i].Raw))
	}
	return hashes
}

// Release lets the chunk be used for later entries of the same iteration: nobody has
// to keep it, its entries or their Raw. It need not be called.
func (c *Chunk) Release() {
	select {
	case c.spare <- c:
	default:
	}
}

// Chunks yields what Entries does, as it was read. With an error comes the chunk that
// was read up to it.
func (v *View) Chunks(ctx context.Context, from, to uint64) iter.Seq2[*Chunk, error] {
	to = min(to, v.tip.Offset)
	return func(yield func(*Chunk, error) bool) {
		if from < v.First() {
			yield(&Chunk{Next: from}, fmt.Errorf("read entries: %w: the first that is left is %d", ErrPruned, v.First()))
			return
		}
		r := &chunkReader{v: v, from: from, to: to, limit: firstChunk, spare: make(chan *Chunk, spareChunks)}
		defer r.close()
		for c := r.chunk(); ; {
			if err := ctx.Err(); err != nil {
				yield(&Chunk{Next: c.Next}, fmt.Errorf("read entries: %w", context.Cause(ctx)))
				return
			}
			ahead, more := make(chan *Chunk, 1), c.more
			if more {
				go func() { ahead <- r.chunk() }()
			}
			done := !yield(c, c.err)
			if !more {
				return
			}
			if c = <-ahead; done {
				return
			}
		}
	}
}

// chunkReader reads one chunk after the other.
type chunkReader struct {
	v        *View
	scanner  *scanner
	from, to uint64
	limit    int // entries of the next chunk
	spare    chan *Chunk
}

// chunk reads some entries; what it got before an error comes with it.
func (r *chunkReader) chunk() *Chunk {
	c := r.room()
	c.Next = r.from
	if r.from > r.to {
		return c
	}
	c.err = r.v.access.with(r.v.s, func() error {
		if r.scanner == nil {
			r.scanner = r.v.s.newScanner(r.v.scan, r.from)
		}
		return r.fill(c)
	})
	r.from, r.limit = c.Next, min(2*r.limit, largestChunk)
	c.more = c.more && c.err == nil && c.Next <= r.to
	return c
}

func (r *chunkReader) room() *Chunk {
	select {
	case c := <-r.spare:
		c.Entries, c.used, c.parts, c.more, c.err = c.Entries[:0], 0, c.parts[:0], false, nil
		return c
	default:
		return &Chunk{spare: r.spare, Entries: make([]Entry, 0, r.limit+blockEntries)}
	}
}

// fill reads whole blocks, and then entries that stand alone. c.more says that it
// ended because there were enough.
func (r *chunkReader) fill(c *Chunk) error {
	size := 0
	for {
		b := c.block()
		more, err := r.scanner.block(b)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		end := min(b.first+b.count()-1, r.to) + 1
		if r.scanner.next < end {
			c.parts = append(c.parts, part{b, r.scanner.next - b.first, end - b.first})
		}
		for next := r.scanner.next; next < end; next++ {
			c.Entries = append(c.Entries, b.at(next))
			c.Next = next + 1
		}
		r.scanner.next = b.first + b.count()
		size += len(b.room)
		full := size >= chunkBytes || len(c.Entries) >= r.limit
		// Where the block ends with what is wanted the next one is looked at, too: it
		// must not reach back.
		if c.more = full && c.Next <= r.to; c.more || b.first+b.count() > end {
			return nil
		}
	}
	for c.more = true; size < chunkBytes && len(c.Entries) < r.limit; {
		e, more, err := r.scanner.entry()
		if err != nil || !more || e.Offset > r.to {
			c.more = false
			return err
		}
		c.Entries = append(c.Entries, e)
		c.Next = e.Offset + 1
		size += len(e.Raw)
	}
	return nil
}

// block is room for one more block.
func (c *Chunk) block() *block {
	if c.used == len(c.blocks) {
		c.blocks = append(c.blocks, &block{})
	}
	c.used++
	return c.blocks[c.used-1]
}

func (r *chunkReader) close() {
	if r.scanner != nil {
		// A store that was closed has closed it.
		_ = r.v.access.with(r.v.s, func() error { r.scanner.close(); return nil })
	}
}
