package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// Options are a verification's settings. Functions are called by one goroutine of the
// verification, in the order of the chain, and hold it up while they run.
type Options struct {
	// Trusted are entry hashes that the reader knows from elsewhere, by offset.
	Trusted map[uint64]chain.Hash
	// From is where an earlier verification of this log had come to; nil: the log is
	// checked from its first entry on. What is before it is not read again.
	From *Point
	// Progress is called now and then with the number of entries checked; may be
	// nil.
	Progress func(done uint64)
	// Reached is called at checkpoints up to which everything was checked, the indexes,
	// too, and nothing is wrong, and at the newest one if nothing is wrong at all; may be
	// nil. The Point is the callee's.
	Reached func(Point)
	// Each is called with every entry whose links hold, and its event, in order; may
	// be nil. The event is empty if it can't be decoded. Decoding is what costs: see Of.
	Each func(auditlog.Entry, *logv1.Event)
	// Of are the kinds of events that Each gets; empty: all.
	Of []auditlog.Kind
}

// Verify checks a view from its first offset, or where an earlier verification ended,
// to its tip. It stops at the first broken link, since nothing behind it can be
// trusted, and goes on after any other finding. What is stored beside the entries is
// checked as far as the chain holds. An error means that it could not be carried out.
func Verify(ctx context.Context, v *auditlog.View, o Options) (*Report, error) {
	c, err := begin(v, o)
	if err != nil {
		return nil, fmt.Errorf("verify log: %w", err)
	}
	defer c.footers.stored.reader.Close()
	within, cancel := context.WithCancel(ctx)
	summed := c.footers.stored.sumUp(within, c.firstWindow())
	defer func() { cancel(); summed() }()
	counted := c.account()
	err = c.walk(ctx)
	counted()
	if err != nil {
		return nil, fmt.Errorf("verify log: %w", err)
	}
	r := c.report
	if !r.Broken {
		c.end()
	}
	r.Open = uint64(c.footers.open.count)
	if !r.Broken {
		c.footers.stored.end(ctx, r, c.footers)
	}
	if !r.Broken {
		if err := r.pruned(ctx, v); err != nil {
			return nil, fmt.Errorf("verify log: %w", err)
		}
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("verify log: %w", context.Cause(ctx))
	}
	if err := c.footers.stored.err; err != nil {
		return nil, fmt.Errorf("verify log: %w", err)
	}
	if r.OK() {
		c.reached()
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return cmp.Compare(a.Offset, b.Offset) })
	return r, nil
}

// checker walks the chain. What its entries say is taken into account by a goroutine
// of its own, which comes behind: see account.
type checker struct {
	view    *auditlog.View
	opts    Options
	batch   *chain.Batch
	report  *Report
	trusted map[uint64]chain.Hash
	footers *footers
	base    *Point // where the walk begins, nil: with the genesis
	next    uint64
	prev    chain.Hash
	// The batch of the entry before next, whose bytes are the chain's once the next one
	// names its hash.
	last    *batch
	pending bool
	// What the walk itself found, apart from the report, which the other goroutine
	// writes meanwhile.
	findings []Finding
	cutOff   bool        // the chain does not hold
	wrong    atomic.Bool // something was found
	compared int         // trusted roots
	point    *Point      // the newest one that nobody was told of
	batches  chan *batch
	spare    chan *batch
}

// walk checks entries until one is broken or the tip was reached.
func (c *checker) walk(ctx context.Context) error {
	for chunk, err := range c.view.Chunks(ctx, c.next, c.report.Tip) {
		b := c.newBatch(chunk)
		for i := range chunk.Entries {
			if !c.entry(b, i) {
				return nil
			}
		}
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, auditlog.ErrReopened) {
				return err
			}
			c.confirm()
			c.unreadable(chunk.Next, err)
			return nil
		}
	}
	c.confirm()
	if c.next <= c.report.Tip {
		c.broken(c.next, CodeMissing, "there is no such entry; the newest one is said to be %d", c.report.Tip)
	}
	return nil
}

// unreadable ends the walk where the storage can't give an entry, or gives two.
func (c *checker) unreadable(offset uint64, err error) {
	if twice := (*auditlog.TwiceError)(nil); errors.As(err, &twice) {
		c.broken(twice.Offset, CodeTwice, "an entry is stored in two blocks: who looks it up may be told another than was checked")
		return
	}
	c.broken(offset, CodeUnreadable, "the storage can't give this entry: %v", err)
}

// broken ends the walk.
func (c *checker) broken(offset uint64, code Code, format string, args ...any) {
	f := Finding{Offset: offset, Code: code, Text: fmt.Sprintf(format, args...)}
	c.findings = slices.Insert(c.findings, 0, f) // first of its offset
	c.cutOff, c.pending = true, false
}

// entry checks one entry's place in the chain, and confirms the one before it; false
// if nothing behind it can be checked.
func (c *checker) entry(b *batch, i int) bool {
	e := &b.chunk.Entries[i]
	if e.Offset != c.next {
		c.confirm()
		c.broken(c.next, CodeMissing, "there is no such entry; the next one is %d", e.Offset)
		return false
	}
	first := c.base != nil && e.Offset == c.base.Offset
	linked := first || e.PrevEntryHash == c.prev
	if linked {
		c.confirm()
	}
	if stored, ok := e.StoredEventHash(); ok {
		if got := chain.EventHash(e.Raw); got != stored {
			c.confirm()
			c.broken(e.Offset, CodeEventHash, "SHA-256 of the event is %s, but %s is stored", got, stored)
			return false
		}
	}
	if !linked {
		c.badLink(e)
		return false
	}
	hash := b.hashes[i]
	if e.Offset == c.report.Tip && hash != c.report.ChainRoot {
		c.broken(e.Offset, CodeTip, "the newest entry's hash is %s, but the stored root is %s", hash, c.report.ChainRoot)
		return false
	}
	if first && hash != c.base.Root {
		c.broken(e.Offset, CodeCut, "the entry at which the log begins has the hash %s, but it has to be %s", hash, c.base.Root)
		return false
	}
	c.trustedRoot(e.Offset, hash)
	c.last, c.pending = b, true
	c.next, c.prev = e.Offset+1, hash
	return true
}

// badLink says which side of a broken link is the bad one (docs/LOG-FORMAT.md,
// "Which offset is the bad one").
func (c *checker) badLink(e *auditlog.Entry) {
	before := e.Offset - 1
	if e.Offset == 0 {
		c.broken(0, CodeLink, "the first entry names a previous one: %s", e.PrevEntryHash)
		return
	}
	broken, healed := c.prev, chain.EntryHash(c.prev, e.Offset, e.Raw)
	bad := before
	if e.Offset == c.report.Tip {
		if healed == c.report.ChainRoot {
			bad = e.Offset
		}
	} else if after, err := c.view.Entry(e.Offset + 1); err == nil && after.PrevEntryHash == healed {
		bad = e.Offset
	}
	if bad == e.Offset {
		c.confirm()
	}
	c.broken(bad, CodeLink, "entry %d has the hash %s, but entry %d names %s as the one before it",
		before, broken, e.Offset, e.PrevEntryHash)
}

// untrusted says that an entry's hash is not the one that is trusted.
const untrusted = "the log has %s, the trusted root is %s: this is not the log that was trusted, nothing up to here can be"

func (c *checker) trustedRoot(offset uint64, hash chain.Hash) {
	if len(c.trusted) == 0 {
		return
	}
	want, ok := c.trusted[offset]
	if !ok {
		return
	}
	c.compared++
	if hash != want {
		c.wrong.Store(true)
		c.findings = append(c.findings, Finding{Offset: offset, Code: CodeTrustedRoot, Text: fmt.Sprintf(untrusted, hash, want)})
	}
}

// end checks what is only known once all entries were seen.
func (c *checker) end() {
	tip := c.report.Tip
	for _, offset := range slices.Sorted(maps.Keys(c.trusted)) {
		switch {
		case offset > tip:
			c.report.add(offset, CodeTrustedRoot, "the trusted root's entry is not in the log: its newest is %d", tip)
		case offset < c.report.First:
			c.trustedBefore(offset)
		}
	}
}

// trustedBefore compares a trusted root with a checkpoint that stays of what was pruned, or
// with the genesis. They alone tell what stays before them without the links between: that
// it is so is checked with all that stays.
func (c *checker) trustedBefore(offset uint64) {
	if e, ok := c.kept(offset); ok {
		c.report.TrustedRoots++
		if want := c.trusted[offset]; e.Hash() != want {
			c.report.add(offset, CodeTrustedRoot, untrusted, e.Hash(), want)
		}
		return
	}
	c.report.add(offset, CodeTrustedRoot, "the trusted root's entry was not checked: this verification begins at %d", c.report.First)
}

// kept is the genesis or a checkpoint of what was pruned.
func (c *checker) kept(offset uint64) (auditlog.Entry, bool) {
	if offset >= c.view.First() {
		return auditlog.Entry{}, false // an earlier verification's to check
	}
	e, err := c.view.Entry(offset)
	if err != nil {
		return e, false
	}
	kind, _, err := auditlog.Peek(e.Raw)
	return e, err == nil && (kind == auditlog.KindCheckpoint || kind == auditlog.KindGenesis)
}
