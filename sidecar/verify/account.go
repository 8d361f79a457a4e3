package verify

import (
	"slices"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// batch is a chunk of entries and their hashes, computed with the previous hashes that
// are stored: an entry's is the chain's if that is.
type batch struct {
	chunk     *auditlog.Chunk
	hashes    []chain.Hash
	confirmed int // the first ones, whose links to both sides hold
}

// batchesAhead is how many batches the walk may be ahead.
const batchesAhead = 4

// newBatch takes a chunk over. The batch before it stays with the walk until its last
// entry is confirmed.
func (c *checker) newBatch(chunk *auditlog.Chunk) *batch {
	b := <-c.spare
	b.chunk, b.confirmed, b.hashes = chunk, 0, chunk.Hashes(b.hashes[:0], c.batch)
	return b
}

// confirm takes the last entry into account: its hash, c.prev, is the chain's.
func (c *checker) confirm() {
	if !c.pending {
		return
	}
	c.pending = false
	if c.last.confirmed++; c.last.confirmed == len(c.last.chunk.Entries) {
		c.batches <- c.last
		c.last = nil
	}
}

// account takes what confirmed entries say into account, in order, in a goroutine of
// its own: hashing the chain and computing the footers are as much work as each other.
// It owns the report until done has returned. done hands over the rest, waits for it,
// and adds what the walk found.
func (c *checker) account() (done func()) {
	c.batches, c.spare = make(chan *batch, batchesAhead), make(chan *batch, batchesAhead+2)
	for range cap(c.spare) {
		c.spare <- &batch{}
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for b := range c.batches {
			for i := range b.confirmed {
				c.count(&b.chunk.Entries[i], b.hashes[i])
			}
			c.footers.settle(c.report)
			if c.opts.Progress != nil {
				c.opts.Progress(c.report.Entries)
			}
			if c.opts.Each == nil { // which may keep what it gets
				b.chunk.Release()
			}
			b.chunk = nil
			c.spare <- b
		}
	}()
	return func() {
		if c.last != nil {
			c.batches <- c.last
		}
		close(c.batches)
		<-ended
		r := c.report
		r.Findings = append(c.findings, r.Findings...)
		r.Broken, r.TrustedRoots = c.cutOff, c.compared
	}
}

// count takes one entry into account.
func (c *checker) count(e *auditlog.Entry, hash chain.Hash) {
	r, f := c.report, c.footers
	r.Entries++
	at := f.entry(r, e, hash, c.base != nil && e.Offset == c.base.Offset)
	if c.opts.Each != nil && (len(c.opts.Of) == 0 || slices.Contains(c.opts.Of, f.summary.Kind)) {
		c.each(*e)
	}
	if at == nil || c.opts.Reached == nil || !r.OK() || c.wrong.Load() {
		return
	}
	c.point = &Point{Offset: at.Offset, Root: at.Root, Nodes: f.sealedNodes}
	if f.stored.settled() {
		c.reached()
	}
}

// reached tells of the newest point, once.
func (c *checker) reached() {
	if c.point != nil {
		c.opts.Reached(*c.point)
	}
	c.point = nil
}

func (c *checker) each(e auditlog.Entry) {
	ev, err := e.Event()
	if err != nil {
		c.report.add(e.Offset, CodeUndecodable, "%v", err)
		ev = &logv1.Event{}
	}
	c.opts.Each(e, ev)
}
