// Package fsck finds and names the damage of a log, and saves what is left of it into
// a new one.
//
// It guarantees that:
//   - Examine writes nothing. RepairSynced writes to a new directory alone, and leaves
//     the damaged log as it is.
//   - An entry is saved only if something that is stored apart from it names its hash,
//     or the hash of an entry behind it: the next entry, the tip, the Merkle root of a
//     checkpoint, the cut. What is saved is one chain from the first entry on, without
//     a hole. No entry is ever made or changed.
//   - Everything else is made of those entries again: indexes, the list of checkpoints,
//     Merkle nodes, blocks. Records beside the chain (receipts, notes) are taken over
//     as they are, also those of entries that are lost: they prove the loss.
//
// It does not tell damage from forgery: whoever can write to the disk can also compute
// hashes. Signatures and anchors are checked by others.
package fsck
