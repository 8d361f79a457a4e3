package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// Options are a verification's settings.
type Options struct {
	// Trusted are entry hashes that the reader knows from elsewhere, by offset.
	Trusted map[uint64]chain.Hash
	// Progress is called now and then with the number of entries checked; may be
	// nil.
	Progress func(done uint64)
	// Each is called with every entry whose link to the one before it holds, and
	// its event, in order; may be nil. The event is empty if it can't be decoded.
	Each func(auditlog.Entry, *logv1.Event)
}

const progressEvery = 4096

// Verify checks a view from offset 0 to its tip. It stops at the first broken
// link, since nothing behind it can be trusted, and goes on after any other
// finding. What is stored beside the entries is checked as far as the chain
// holds. An error means that it could not be carried out.
func Verify(ctx context.Context, v *auditlog.View, o Options) (*Report, error) {
	tip := v.Tip()
	s, err := newStored(v)
	if err != nil {
		return nil, fmt.Errorf("verify log: %w", err)
	}
	c := &checker{
		view: v, hasher: chain.NewHasher(), report: &Report{Tip: tip.Offset, ChainRoot: tip.Hash},
		trusted: o.Trusted, footers: newFooters(v.Genesis().GetCheckpointInterval(), s),
	}
	for e, err := range v.Entries(ctx, 0, tip.Offset) {
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, auditlog.ErrReopened) {
				return nil, fmt.Errorf("verify log: %w", err)
			}
			c.broken(e.Offset, CodeUnreadable, "the storage can't give this entry: %v", err)
			break
		}
		if !c.entry(e, o.Each) {
			break
		}
		if o.Progress != nil && c.next%progressEvery == 0 {
			o.Progress(c.next)
		}
	}
	if !c.report.Broken {
		c.end(tip)
	}
	c.report.Open = uint64(len(c.footers.open))
	if !c.report.Broken {
		s.end(ctx, c.report)
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("verify log: %w", context.Cause(ctx))
	}
	if s.err != nil {
		return nil, fmt.Errorf("verify log: %w", s.err)
	}
	slices.SortStableFunc(c.report.Findings, func(a, b Finding) int { return cmp.Compare(a.Offset, b.Offset) })
	return c.report, nil
}

// checker walks the chain.
type checker struct {
	view    *auditlog.View
	hasher  *chain.Hasher
	report  *Report
	trusted map[uint64]chain.Hash
	footers *footers
	next    uint64
	prev    chain.Hash
}

func (c *checker) broken(offset uint64, code Code, format string, args ...any) {
	f := Finding{Offset: offset, Code: code, Text: fmt.Sprintf(format, args...)}
	c.report.Findings = slices.Insert(c.report.Findings, 0, f) // first of its offset
	c.report.Broken = true
}

// entry checks one entry; false if nothing behind it can be checked.
func (c *checker) entry(e auditlog.Entry, each func(auditlog.Entry, *logv1.Event)) bool {
	if e.Offset != c.next {
		c.broken(c.next, CodeMissing, "there is no such entry; the next one is %d", e.Offset)
		return false
	}
	if stored, ok := e.StoredEventHash(); ok {
		if got := chain.EventHash(e.Raw); got != stored {
			c.broken(e.Offset, CodeEventHash, "SHA-256 of the event is %s, but %s is stored", got, stored)
			return false
		}
	}
	if e.PrevEntryHash != c.prev {
		c.badLink(e)
		return false
	}
	hash := c.hasher.Entry(e.PrevEntryHash, e.Offset, e.Raw)
	if e.Offset == c.report.Tip && hash != c.report.ChainRoot {
		c.broken(e.Offset, CodeTip, "the newest entry's hash is %s, but the stored root is %s", hash, c.report.ChainRoot)
		return false
	}
	c.trustedRoot(e.Offset, hash)
	ev := c.footers.entry(c.report, e, hash)
	if each != nil {
		each(e, ev)
	}
	c.next, c.prev = e.Offset+1, hash
	c.report.Entries = c.next
	return true
}

// badLink says which side of a broken link is the bad one (docs/LOG-FORMAT.md,
// "Which offset is the bad one").
func (c *checker) badLink(e auditlog.Entry) {
	before := e.Offset - 1
	if e.Offset == 0 {
		c.broken(0, CodeLink, "the first entry names a previous one: %s", e.PrevEntryHash)
		return
	}
	healed := c.hasher.Entry(c.prev, e.Offset, e.Raw)
	bad := before
	if e.Offset == c.report.Tip {
		if healed == c.report.ChainRoot {
			bad = e.Offset
		}
	} else if after, err := c.view.Entry(e.Offset + 1); err == nil && after.PrevEntryHash == healed {
		bad = e.Offset
	}
	c.broken(bad, CodeLink, "entry %d has the hash %s, but entry %d names %s as the one before it",
		before, c.prev, e.Offset, e.PrevEntryHash)
}

func (c *checker) trustedRoot(offset uint64, hash chain.Hash) {
	want, ok := c.trusted[offset]
	if !ok {
		return
	}
	c.report.TrustedRoots++
	if hash != want {
		c.report.add(offset, CodeTrustedRoot, "the log has %s, the trusted root is %s: this is not the log that was trusted, nothing up to here can be", hash, want)
	}
}

// end checks what is only known once all entries were seen.
func (c *checker) end(tip auditlog.Tip) {
	if c.next <= tip.Offset {
		c.broken(c.next, CodeMissing, "there is no such entry; the newest one is said to be %d", tip.Offset)
	}
	for offset := range c.trusted {
		if offset > tip.Offset {
			c.report.add(offset, CodeTrustedRoot, "the trusted root's entry is not in the log: its newest is %d", tip.Offset)
		}
	}
}
