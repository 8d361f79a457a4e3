package verify

import (
	"slices"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// confirmed is an entry whose links to both sides hold, and its hash.
type confirmed struct {
	entry auditlog.Entry
	hash  chain.Hash
}

const (
	// batchEntries is how many are handed over at a time, and batchesAhead how many
	// times the walk may be ahead.
	batchEntries = 1024
	batchesAhead = 4
)

// account takes what confirmed entries say into account, in order, in a goroutine of
// its own: hashing the chain and computing the footers are as much work as each other.
// It owns the report until done has returned. done hands over the rest, waits for it,
// and adds what the walk found.
func (c *checker) account() (done func()) {
	c.batches, c.spare = make(chan []confirmed, batchesAhead), make(chan []confirmed, batchesAhead+1)
	for range batchesAhead {
		c.spare <- make([]confirmed, 0, batchEntries)
	}
	c.batch = make([]confirmed, 0, batchEntries)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for batch := range c.batches {
			for _, e := range batch {
				c.count(e)
			}
			if c.opts.Progress != nil {
				c.opts.Progress(c.report.Entries)
			}
			clear(batch) // which would hold what was read
			c.spare <- batch
		}
	}()
	return func() {
		c.batches <- c.batch
		close(c.batches)
		<-ended
		r := c.report
		r.Findings = append(c.findings, r.Findings...)
		r.Broken, r.TrustedRoots = c.cutOff, c.compared
	}
}

// count takes one entry into account.
func (c *checker) count(e confirmed) {
	r, f := c.report, c.footers
	r.Entries++
	at := f.entry(r, e.entry, e.hash, c.base != nil && e.entry.Offset == c.base.Offset)
	if c.opts.Each != nil && (len(c.opts.Of) == 0 || slices.Contains(c.opts.Of, f.summary.Kind)) {
		c.each(e.entry)
	}
	if at != nil && c.opts.Reached != nil && r.OK() && !c.wrong.Load() {
		c.opts.Reached(Point{Offset: at.Offset, Root: at.Root, Nodes: f.sealedNodes})
	}
}

func (c *checker) each(e auditlog.Entry) {
	ev, err := e.Event()
	if err != nil {
		c.report.add(e.Offset, CodeUndecodable, "%v", err)
		ev = &logv1.Event{}
	}
	c.opts.Each(e, ev)
}
