package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"verbatim/sidecar/auditlog"
)

// digest is over everything that a reader can get from a log: entries, records,
// checkpoints, what the indexes answer, and proofs.
func digest(ctx context.Context, v *auditlog.View) ([]byte, error) {
	h := sha256.New()
	indexed, from, err := v.Indexed()
	cut, _ := v.Cut()
	fmt.Fprintln(h, v.ID(), v.Genesis(), v.Tip(), indexed, from, cut)
	terms := map[auditlog.Term]bool{auditlog.MeterTerm("none"): true}
	return h.Sum(nil), errors.Join(err, digestEntries(ctx, v, h, terms), digestFound(ctx, v, h, terms), digestKept(ctx, v, h), digestProofs(ctx, v, h))
}

// digestEntries reads all entries in a row, and some one by one, which is another
// way. It gathers the terms by which they are found.
func digestEntries(ctx context.Context, v *auditlog.View, h io.Writer, terms map[auditlog.Term]bool) error {
	for e, err := range v.Entries(ctx, v.First(), v.Tip().Offset) {
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "entry %d %s %x\n", e.Offset, e.Hash(), e.Raw)
		kind, clock, err := auditlog.Peek(e.Raw)
		if err != nil {
			return err
		}
		at, err := v.OffsetAt(clock)
		if err != nil {
			return err
		}
		fmt.Fprintln(h, "clock", clock, at)
		ev, err := e.Event()
		if err != nil {
			return err
		}
		terms[auditlog.KindTerm(kind)] = true
		if ev.GetResponse() != nil {
			terms[auditlog.StatusTerm(auditlog.OutputStatus(ev.GetResponse().GetOutput()))] = true
		}
		for _, m := range ev.GetRequest().GetMeterIds() {
			terms[auditlog.MeterTerm(m)] = true
		}
	}
	for offset := v.First(); offset <= v.Tip().Offset; offset += 5 {
		e, err := v.Entry(offset)
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "entry %d %s\n", e.Offset, e.Hash())
	}
	return nil
}

// digestFound asks the index for each term from both ends, and for two together.
func digestFound(ctx context.Context, v *auditlog.View, h io.Writer, terms map[auditlog.Term]bool) error {
	for _, term := range slices.Sorted(maps.Keys(terms)) {
		for _, q := range []auditlog.Lookup{
			{AllOf: [][]auditlog.Term{{term}}},
			{AllOf: [][]auditlog.Term{{term}}, Backward: true},
			{AllOf: [][]auditlog.Term{{auditlog.KindTerm(auditlog.KindResponse)}, {term, auditlog.MeterTerm("meter-1")}}},
		} {
			q.From, q.To = v.First(), v.Tip().Offset
			fmt.Fprintln(h, "found", q)
			for offset, err := range v.Find(ctx, q) {
				if err != nil {
					return err
				}
				fmt.Fprintln(h, offset)
			}
		}
	}
	return nil
}

func digestKept(ctx context.Context, v *auditlog.View, h io.Writer) error {
	checkpoints, err := v.Checkpoints(ctx, 0)
	if err != nil {
		return err
	}
	for _, c := range checkpoints {
		fmt.Fprintln(h, "checkpoint", c.Offset, c.ClockMS, c.Root)
		one, err := v.Checkpoint(c.Checkpoint.GetCheckpointId())
		if err != nil {
			return err
		}
		fmt.Fprintln(h, "checkpoint", one.Offset, one.Root)
	}
	for e, err := range v.Kept(ctx) {
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "kept %d %s\n", e.Offset, e.Hash())
	}
	for r, err := range v.Records(ctx, nil, nil) {
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "record %x %x\n", r.Key, r.Value)
	}
	return nil
}

func digestProofs(ctx context.Context, v *auditlog.View, h io.Writer) error {
	size := v.Tip().Offset + 1
	for part := v.First() + 1; part <= size; part += 7 {
		inclusion, err := v.InclusionProof(ctx, part-1, size)
		consistency, err2 := v.ConsistencyProof(ctx, part, size)
		root, err3 := v.MerkleRoot(ctx, part)
		if err := errors.Join(err, err2, err3); err != nil {
			return err
		}
		fmt.Fprintln(h, "proofs", part, inclusion, consistency, root)
	}
	return nil
}
