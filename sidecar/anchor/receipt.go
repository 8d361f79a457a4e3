package anchor

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	anchorv1 "verbatim/proto/verbatim/anchor/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// ReceiptOf is the receipt of a checkpoint; nil if it has none. A later one's covers it.
func ReceiptOf(v *auditlog.View, id uint64) (*anchorv1.Receipt, error) {
	value, err := v.Record(receiptKey(id))
	if err != nil || value == nil {
		return nil, err
	}
	r := &anchorv1.Receipt{}
	if err := proto.Unmarshal(value, r); err != nil {
		return nil, fmt.Errorf("read anchor receipt: %w: %w", auditlog.ErrDamaged, err)
	}
	return r, nil
}

// Fits is nil if a receipt's transaction commits the root of this checkpoint of a log
// to where the log is anchored, and else says why not. It asks nobody: whether the
// network ever saw the transaction is not known.
func Fits(r *anchorv1.Receipt, where *logv1.Anchor, logID chain.Hash, c auditlog.CheckpointAt) error {
	return fits(r, where, logID, c)
}
