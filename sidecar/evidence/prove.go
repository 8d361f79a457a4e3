package evidence

import (
	"context"
	"errors"
	"fmt"

	anchorv1 "verbatim/proto/verbatim/anchor/v1"
	evidencev1 "verbatim/proto/verbatim/evidence/v1"
	"verbatim/sidecar/anchor"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/checkpoint"
)

// ErrNotSealed says that no checkpoint covers an entry yet.
var ErrNotSealed = errors.New("no checkpoint covers it yet")

// Options say what goes into a file beside the exchange.
type Options struct {
	// Checkpoint is the one to prove in; nil: the newest that has an anchor receipt
	// and covers the exchange, else the first that covers it and is signed, else the first.
	Checkpoint *uint64
	// Divergence is what a replay said of the exchange; nil: nothing.
	Divergence *Divergence
}

// Prove makes the evidence of the exchange that an entry belongs to: the offset may be
// that of its request, a part or its outcome. Another entry is proved alone. It checks
// the file before it returns it. Errors: auditlog.ErrNoEntry, auditlog.ErrPruned,
// ErrNotSealed; auditlog.ErrDamaged: the log can't prove what it holds.
func Prove(ctx context.Context, v *auditlog.View, offset uint64, o Options) (*File, error) {
	f, err := prove(ctx, v, offset, o)
	if err != nil {
		return nil, fmt.Errorf("prove entry %d: %w", offset, err)
	}
	return f, nil
}

func prove(ctx context.Context, v *auditlog.View, offset uint64, o Options) (*File, error) {
	entries, err := gather(ctx, v, offset)
	if err != nil {
		return nil, err
	}
	c, receipt, err := choose(ctx, v, entries[len(entries)-1].Offset, o.Checkpoint)
	if err != nil {
		return nil, err
	}
	m := &evidencev1.Evidence{Subject: offset, Divergence: o.Divergence.message(), Receipt: receiptMessage(receipt)}
	offsets, proofs := make([]uint64, len(entries)), make([][]chain.Hash, len(entries))
	for i, e := range entries {
		m.Entries, offsets[i] = append(m.Entries, entryMessage(e)), e.Offset
		if proofs[i], err = v.InclusionProof(ctx, e.Offset, c.Offset); err != nil {
			return nil, err
		}
	}
	if m.Nodes, err = pack(offsets, c.Offset, proofs); err != nil {
		return nil, err
	}
	at, err := v.Entry(c.Offset)
	if err != nil {
		return nil, err
	}
	m.Checkpoint = entryMessage(at)
	if m.Note, m.Keys, err = note(ctx, v, c); err != nil {
		return nil, err
	}
	return checked(m)
}

// checked makes the file, unless what it says does not fit together.
func checked(m *evidencev1.Evidence) (*File, error) {
	raw, err := encode(m)
	if err != nil {
		return nil, err
	}
	f, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: its evidence would be none: %w", auditlog.ErrDamaged, err)
	}
	if found := f.Check(Trusted{}).Findings(); len(found) > 0 {
		return nil, fmt.Errorf("%w: %s; verbatim verify says more", auditlog.ErrDamaged, found[0].Text)
	}
	return f, nil
}

// choose finds the checkpoint to prove in, and its receipt, nil if it has none.
func choose(ctx context.Context, v *auditlog.View, last uint64, id *uint64) (auditlog.CheckpointAt, *anchorv1.Receipt, error) {
	if id != nil {
		return named(v, last, *id)
	}
	if r, err := anchor.NewestReceipt(v); err != nil {
		return auditlog.CheckpointAt{}, nil, err
	} else if r.GetOffset() > last && len(r.GetEnvelope()) > 0 {
		c, err := v.Checkpoint(r.GetCheckpointId())
		return c, r, err
	}
	first, err := covering(ctx, v, last)
	if err != nil {
		return auditlog.CheckpointAt{}, nil, err
	}
	// A log may be signed only since some time, and its newest checkpoint not yet.
	signed, err := checkpoint.FirstFrom(ctx, v, first)
	if errors.Is(err, checkpoint.ErrNoNote) {
		return named(v, last, first)
	}
	if err != nil {
		return auditlog.CheckpointAt{}, nil, err
	}
	return named(v, last, signed)
}

// covering is the first checkpoint that covers an entry.
func covering(ctx context.Context, v *auditlog.View, last uint64) (id uint64, err error) {
	first := auditlog.Lookup{AllOf: [][]auditlog.Term{{auditlog.KindTerm(auditlog.KindCheckpoint)}}, From: last + 1, To: v.Tip().Offset}
	for offset, err := range v.Find(ctx, first) {
		if err != nil {
			return 0, err
		}
		e, err := v.Entry(offset)
		if err != nil {
			return 0, err
		}
		ev, err := e.Event()
		if err != nil || ev.GetCheckpoint() == nil {
			return 0, fmt.Errorf("%w: entry %d is no checkpoint, the index has it as one", auditlog.ErrDamaged, offset)
		}
		return ev.GetCheckpoint().GetCheckpointId(), nil
	}
	return 0, fmt.Errorf("%w: none stands behind entry %d; one comes when the window is full or old enough, and on a clean stop", ErrNotSealed, last)
}

func named(v *auditlog.View, last, id uint64) (auditlog.CheckpointAt, *anchorv1.Receipt, error) {
	c, err := v.Checkpoint(id)
	if err != nil {
		return c, nil, err
	}
	if c.Offset <= last {
		return c, nil, fmt.Errorf("%w: checkpoint %d stands at %d, before entry %d", ErrNotSealed, id, c.Offset, last)
	}
	r, err := anchor.ReceiptOf(v, id)
	return c, r, err
}

// note is a checkpoint's note, and the keys that the log says are in force there.
func note(ctx context.Context, v *auditlog.View, c auditlog.CheckpointAt) ([]byte, []string, error) {
	raw, err := checkpoint.Kept(v, c.Checkpoint.GetCheckpointId())
	if errors.Is(err, checkpoint.ErrNoNote) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	keys, err := checkpoint.InForce(ctx, v, c.Offset)
	return raw, keys, err
}

// entryMessage leaves out the genesis' previous hash, which is always the same.
func entryMessage(e auditlog.Entry) *evidencev1.Entry {
	m := &evidencev1.Entry{StreamOffset: e.Offset, RawEventBytes: e.Raw}
	if e.Offset > 0 {
		m.PrevEntryHash = e.PrevEntryHash[:]
	}
	return m
}

// receiptMessage is nil for a receipt without a transaction: it tells nothing.
func receiptMessage(r *anchorv1.Receipt) *evidencev1.Receipt {
	if len(r.GetEnvelope()) == 0 {
		return nil
	}
	return &evidencev1.Receipt{
		Ledger: r.GetLedger(), ClosedAt: r.GetClosedAt(), TransactionHash: r.GetTransactionHash(),
		Envelope: r.GetEnvelope(), Result: r.GetResult(), Path: r.GetPath(),
	}
}
