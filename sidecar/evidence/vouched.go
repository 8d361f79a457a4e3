package evidence

import (
	"errors"
	"strings"
	"time"

	anchorv1 "verbatim/proto/verbatim/anchor/v1"
	"verbatim/sidecar/anchor"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/checkpoint"
)

// checkNote checks who signed the checkpoint.
func (f *File) checkNote(r *Report, ring *checkpoint.Keyring) {
	at := f.Checkpoint()
	if len(f.m.GetNote()) == 0 {
		if ring != nil {
			r.wrong(at.Offset, CodeKey, "The checkpoint is not signed in this file, and there are keys to check it with.")
			return
		}
		r.add(Missing, "The checkpoint is not signed in this file.")
		return
	}
	n, err := checkpoint.Parse(f.m.GetNote())
	if err != nil {
		r.wrong(at.Offset, CodeNote, "The signed note can't be read: %v.", err)
		return
	}
	switch want := checkpoint.Of(f.LogID(), at); {
	case n.LogID != want.LogID:
		r.wrong(at.Offset, CodeNote, "The signed note is of log %s, not of log %s.", n.LogID, want.LogID)
		return
	case n.Checkpoint != want:
		r.wrong(at.Offset, CodeNote, "The signed note is of another checkpoint: it has number %d, size %d, Merkle root %s and entry hash %s; here they are %d, %d, %s and %s.",
			n.ID, n.Size(), n.MerkleRoot, n.EntryHash, want.ID, want.Size(), want.MerkleRoot, want.EntryHash)
		return
	}
	if ring != nil {
		f.checkRing(r, n, ring)
		return
	}
	f.checkOwnKeys(r, n)
}

func (f *File) checkRing(r *Report, n *checkpoint.Note, ring *checkpoint.Keyring) {
	by, err := ring.Check(n)
	if err == nil {
		r.add(Proven, "The checkpoint's number, size, Merkle root and entry hash are signed by %s, which you trust for a log of that size.", names(by))
		return
	}
	code := CodeKey
	if bad := (*checkpoint.RingError)(nil); errors.As(err, &bad) && bad.Retired {
		code = codeRetired
	}
	r.wrong(f.checkpoint.Offset, code, "The signed note: %v.", err)
}

// checkOwnKeys checks the signatures with the keys that the file itself names.
func (f *File) checkOwnKeys(r *Report, n *checkpoint.Note) {
	keys := make([]checkpoint.VerifierKey, 0, len(f.m.GetKeys()))
	for _, text := range f.m.GetKeys() {
		k, err := checkpoint.ParseVerifierKey(text)
		if err != nil {
			r.wrong(f.checkpoint.Offset, CodeNote, "A key that this file names can't be read: %v.", err)
			return
		}
		keys = append(keys, k)
	}
	by, err := n.SignedBy(keys...)
	switch {
	case err != nil:
		r.wrong(f.checkpoint.Offset, CodeNote, "The signed note: %v.", err)
	case len(by) == 0:
		r.add(Stated, "The checkpoint is said to be signed by %s. This file has no such key, so that nothing was checked: --keys says whom you trust.", names(n.Signers()))
	default:
		r.add(Stated, "The checkpoint's number, size, Merkle root and entry hash are signed by %s, a key that this file names itself: --keys says whom you trust.", names(by))
	}
}

func names(ids []checkpoint.KeyID) string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = id.String()
	}
	return strings.Join(list, " and ")
}

// receipt is the anchor receipt as the log's owner keeps it; nil: there is none.
func (f *File) receipt() *anchorv1.Receipt {
	m, at := f.m.GetReceipt(), f.Checkpoint()
	if m == nil {
		return nil
	}
	id := f.LogID()
	return &anchorv1.Receipt{
		Network: f.Anchor().GetNetwork(), Contract: f.Anchor().GetContract(), LogId: id[:],
		CheckpointId: at.Checkpoint.GetCheckpointId(), Offset: at.Offset, Root: at.Root[:], TimestampMs: at.ClockMS,
		Ledger: m.GetLedger(), ClosedAt: m.GetClosedAt(), TransactionHash: m.GetTransactionHash(),
		Envelope: m.GetEnvelope(), Result: m.GetResult(), Path: m.GetPath(),
	}
}

// checkReceipt checks the checkpoint's way to the public ledger, as its owner shows it.
func (f *File) checkReceipt(r *Report, expected string) {
	at, where, receipt := f.Checkpoint(), f.Anchor(), f.receipt()
	if expected != "" && where.GetContract() != expected {
		r.wrong(0, CodeContract, "The genesis names contract %q, you expect %s: what a log names may be its owner's own.", where.GetContract(), expected)
	}
	switch {
	case where == nil && receipt == nil:
		r.add(Missing, "The log is not anchored: its genesis names no contract.")
		return
	case where == nil:
		r.wrong(at.Offset, CodeReceipt, "There is an anchor receipt, and the genesis says that the log is not anchored.")
		return
	case receipt == nil:
		r.add(Missing, "No anchor receipt of the checkpoint is in this file.")
		return
	}
	if err := anchor.Fits(receipt, where, f.LogID(), at); err != nil {
		r.wrong(at.Offset, CodeReceipt, "The anchor receipt does not fit: %v.", err)
		return
	}
	r.claimed = true
	r.add(Stated, "The receipt's transaction %s, signed by the account that sent it, commits the root %s for checkpoint %d of this log to contract %s. It is said to be in ledger %d, which closed at %s.",
		chain.Hash(receipt.GetTransactionHash()), at.Root, at.Checkpoint.GetCheckpointId(), where.GetContract(), receipt.GetLedger(), closed(receipt.GetClosedAt()))
}

// closed is when a ledger closed, for people.
func closed(seconds int64) string {
	if seconds < 0 || seconds > 253402300799 {
		return "no time that there is"
	}
	return time.Unix(seconds, 0).UTC().Format(time.RFC3339)
}
