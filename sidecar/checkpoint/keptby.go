package checkpoint

import (
	"errors"
	"fmt"

	"verbatim/sidecar/chain"
	"verbatim/sidecar/verify"
)

// Contains looks for a checkpoint that a reader kept from earlier in the log that
// was walked. It returns nil if the log contains it, with all entries before it,
// and else why not. whole says that the chain holds to its end. Signatures are not
// looked at.
func (w *Walk) Contains(n *Note, logID chain.Hash, whole bool) *verify.Finding {
	if n.LogID != logID {
		return kept(0, "the kept checkpoint is of log %s, this is log %s", n.LogID, logID)
	}
	for _, at := range w.checkpoints {
		if at.Offset != n.Offset {
			continue
		}
		if have := Of(logID, at.CheckpointAt); have != n.Checkpoint {
			return kept(at.Offset, "THE LOG IS NOT THE ONE THAT WAS SIGNED: the kept checkpoint %d has root %s and entry %s, at that size the log has checkpoint %d, root %s and entry %s",
				n.ID, n.MerkleRoot, n.EntryHash, have.ID, have.MerkleRoot, have.EntryHash)
		}
		return nil
	}
	switch {
	case n.Offset <= w.tip:
		return kept(n.Offset, "THE LOG IS NOT THE ONE THAT WAS SIGNED: the kept checkpoint %d stands at offset %d, where the log has another entry", n.ID, n.Offset)
	case whole:
		return kept(w.tip+1, "the kept checkpoint %d stands at offset %d, and this log ends at %d: its end is cut off, or it is an older copy", n.ID, n.Offset, w.tip)
	}
	return kept(w.tip+1, "the kept checkpoint %d stands at offset %d, and the log could be checked up to %d only", n.ID, n.Offset, w.tip)
}

func kept(offset uint64, format string, args ...any) *verify.Finding {
	return &verify.Finding{Offset: offset, Code: CodeKept, Text: fmt.Sprintf(format, args...)}
}

// codeOf is the code of what a keyring says of a note.
func codeOf(err error) verify.Code {
	var ring *RingError
	if errors.As(err, &ring) && ring.Retired {
		return CodeRetired
	}
	return CodeKey
}

// Finding says, for a kept checkpoint, why no key of the keyring vouches for it;
// nil if one does.
func (r *Keyring) Finding(n *Note) *verify.Finding {
	if _, err := r.Check(n); err != nil {
		return &verify.Finding{Offset: n.Offset, Code: codeOf(err), Text: fmt.Sprintf("the kept checkpoint %d: %v", n.ID, err)}
	}
	return nil
}
