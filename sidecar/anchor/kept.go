package anchor

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"

	"google.golang.org/protobuf/proto"

	anchorv1 "verbatim/proto/verbatim/anchor/v1"
	"verbatim/sidecar/auditlog"
)

// Keys of what is kept beside the chain.
var (
	keySubmission  = []byte("anchor/submission")
	prefixReceipts = []byte("anchor/receipt/")
)

// ReceiptPrefix begins the keys of the records that are receipts.
func ReceiptPrefix() []byte { return slices.Clone(prefixReceipts) }

func receiptKey(id uint64) []byte {
	return binary.BigEndian.AppendUint64(append([]byte{}, prefixReceipts...), id)
}

// Receipts yields the receipts of a log from a checkpoint id on, in order. After
// an error it ends.
func Receipts(ctx context.Context, v *auditlog.View, fromID uint64) iter.Seq2[*anchorv1.Receipt, error] {
	return func(yield func(*anchorv1.Receipt, error) bool) {
		for record, err := range v.Records(ctx, prefixReceipts, receiptKey(fromID)) {
			if err != nil {
				yield(nil, err)
				return
			}
			r := &anchorv1.Receipt{}
			if err := proto.Unmarshal(record.Value, r); err != nil {
				yield(nil, fmt.Errorf("read anchor receipt: %w: %w", auditlog.ErrDamaged, err))
				return
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// readSubmission returns the transaction that may be under way; nil if none is.
func readSubmission(v *auditlog.View) (*anchorv1.Submission, error) {
	value, err := v.Record(keySubmission)
	if err != nil || value == nil {
		return nil, err
	}
	s := &anchorv1.Submission{}
	if err := proto.Unmarshal(value, s); err != nil {
		return nil, fmt.Errorf("read anchor submission: %w: %w", auditlog.ErrDamaged, err)
	}
	return s, nil
}

// keeper writes what has to survive a stop.
type keeper interface {
	KeepSynced(ctx context.Context, records ...auditlog.Record) error
}

// keepSubmissionSynced returns after the submission is durable. Then it may be sent.
func keepSubmissionSynced(ctx context.Context, k keeper, s *anchorv1.Submission) error {
	value, err := proto.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode submission: %w", err)
	}
	return k.KeepSynced(ctx, auditlog.Record{Key: keySubmission, Value: value})
}

// keepReceiptSynced returns after the receipt is durable and the submission, which
// it answers, is gone.
func keepReceiptSynced(ctx context.Context, k keeper, r *anchorv1.Receipt) error {
	value, err := proto.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode receipt: %w", err)
	}
	return k.KeepSynced(ctx, auditlog.Record{Key: receiptKey(r.GetCheckpointId()), Value: value}, auditlog.Record{Key: keySubmission})
}

// dropSubmissionSynced returns after the submission is durably gone: it can't get
// into a ledger any more.
func dropSubmissionSynced(ctx context.Context, k keeper) error {
	return k.KeepSynced(ctx, auditlog.Record{Key: keySubmission})
}
