package forger

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"

	anchorv1 "verbatim/proto/verbatim/anchor/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/tests/forge"
)

// What somebody does who leaves the chain as it is.
var besides = []forgery{
	{
		group: beside, name: "a note removed (checkpoint 2 at 150)",
		by:   map[rung]string{noted: "unsigned 150", keyed: "unsigned 150"},
		make: func(f *forger) { f.check(forge.Delete(f.dir, "records", recordKey(notes, 2))) },
	},
	{
		group: beside, name: "the newest note removed (checkpoint 10 at 473)",
		by:   map[rung]string{noted: "unsigned 473", keyed: "unsigned 473"},
		make: func(f *forger) { f.check(forge.Delete(f.dir, "records", recordKey(notes, 10))) },
	},
	{
		group: beside, name: "the note of another checkpoint in its place (1 in place of 2 at 150)",
		by:   map[rung]string{noted: "signed-root 150", keyed: "signed-root 150"},
		make: func(f *forger) { f.record(notes, 2, f.stored(f.dir, notes, 1)) },
	},
	{
		group: beside, name: "a note signed with the retired key alone (checkpoint 8 at 402)",
		by: map[rung]string{noted: "signature 402", keyed: "signature 402"},
		make: func(f *forger) {
			c := f.of.checkpoints[8]
			f.record(notes, 8, f.note(c, f.old))
		},
	},
	{
		group: beside, name: "a receipt removed (checkpoint 3 at 161)", public: true,
		make: func(f *forger) { f.check(forge.Delete(f.dir, "records", recordKey(receipts, 3))) },
	},
	{
		group: beside, name: "all receipts removed", public: true,
		by:   map[rung]string{claimed: "not-anchored 50"},
		make: func(f *forger) { f.drop(receipts, 0) },
	},
	{
		group: beside, name: "a receipt of another log (in place of checkpoint 0's at 50)", public: true,
		by: map[rung]string{claimed: "receipt 50"},
		make: func(f *forger) {
			other := f.published(f.ledger.where(f.ledger.contract))
			f.record(receipts, 0, f.stored(other, receipts, 0))
		},
	},
	{
		group: beside, name: "a receipt of another log that says this one's root (in place of checkpoint 0's at 50)", public: true,
		by: map[rung]string{claimed: "receipt 50"},
		make: func(f *forger) {
			other := f.published(f.ledger.where(f.ledger.contract))
			f.receipt(other, 0, func(r *anchorv1.Receipt) { r.Root, r.Offset = f.root(0), 50 })
		},
	},
	{
		group: beside, name: "a receipt of another checkpoint that says this one's root (0's for 3 at 161)", public: true,
		by: map[rung]string{claimed: "receipt 161"},
		make: func(f *forger) {
			f.receipt(f.dir, 0, func(r *anchorv1.Receipt) { r.CheckpointId, r.Root, r.Offset = 3, f.root(3), 161 })
			f.record(receipts, 3, f.stored(f.dir, receipts, 0))
			f.receipt(f.dir, 3, func(r *anchorv1.Receipt) { r.CheckpointId, r.Root = 3, f.root(3) })
		},
	},
	{
		group: beside, name: "a meter's list removed from the index (window of 100 to 149)",
		by:   map[rung]string{stored: "index 100"},
		make: func(f *forger) { f.check(forge.Delete(f.dir, "terms", meterList("meter-0", 2))) },
	},
	{
		group: beside, name: "an event hidden from its meter's list (120, 121)",
		by: map[rung]string{stored: "index 100"},
		make: func(f *forger) {
			list, err := forge.Stored(f.dir, "terms")
			f.check(err)
			for _, r := range list {
				if bytes.Equal(r.Key, meterList("meter-1", 2)) {
					f.check(forge.Put(f.dir, "terms", r.Key, hide(r.Value, 120, 121)))
				}
			}
		},
	},
	{
		group: beside, name: "a checkpoint taken from the list of checkpoints (2 at 150)",
		by:   map[rung]string{stored: "stored-footer 150"},
		make: func(f *forger) { f.check(forge.Delete(f.dir, "checkpoints", binary.BigEndian.AppendUint64(nil, 2))) },
	},
	{
		group: beside, name: "a window taken from the index by time (100 to 149)",
		by: map[rung]string{stored: "index 100"},
		make: func(f *forger) {
			list, err := forge.Stored(f.dir, "times")
			f.check(err)
			f.check(forge.Delete(f.dir, "times", list[2].Key))
		},
	},
	{
		group: beside, name: "a Merkle node changed (of 0 to 255)",
		by: map[rung]string{stored: "tree 255"},
		make: func(f *forger) {
			list, err := forge.Stored(f.dir, "tree")
			f.check(err)
			f.check(forge.Put(f.dir, "tree", list[0].Key, make([]byte, chain.Size)))
		},
	},
	{
		group: beside, name: "an entry stands twice, the other way the second time (121)",
		by:   map[rung]string{stored: "twice 121"},
		make: func(f *forger) { f.check(forge.Shadow(f.dir, 121, spoil)) },
	},
	{
		group: beside, name: "a block of entries stands twice, the other way the second time (121)",
		by:   map[rung]string{stored: "twice 121", kept: "kept-checkpoint 150", claimed: "anchored-ahead 161"},
		make: func(f *forger) { f.check(forge.ShadowBlock(f.dir, 121, spoil)) },
	},
	{
		group: beside, name: "the genesis stands twice, with another log id the second time (0)",
		by:   map[rung]string{stored: "twice 0", noted: "signed-root 50", keyed: "signed-root 50", kept: "kept-checkpoint 0", claimed: "receipt 50", anchored: "not-anchored 0"},
		make: func(f *forger) { f.check(forge.Shadow(f.dir, 0, func(raw []byte) { raw[10] ^= 1 })) },
	},
	{
		group: beside, name: "the newest entry is said to be an older one (452)",
		by: map[rung]string{chained: "tip 453", stored: "index 452", noted: "note 453", keyed: "note 453"},
		make: func(f *forger) {
			c := f.of.checkpoints[9]
			f.check(os.Remove(filepath.Join(f.dir, "durable")))
			f.check(forge.Put(f.dir, "state", []byte("tip"), append(binary.BigEndian.AppendUint64(nil, c.Offset), c.Root[:]...)))
		},
	},
}

func spoil(raw []byte) { raw[len(raw)-10] ^= 1 }

// meterList is the key of a meter's list in a window.
func meterList(meter string, window uint64) []byte {
	term := string(auditlog.MeterTerm(meter))
	return binary.BigEndian.AppendUint64(append(binary.AppendUvarint(nil, uint64(len(term))), term...), window)
}

// hide leaves offsets out of a list.
func hide(value []byte, hidden ...uint64) []byte {
	var out []byte
	last, written := uint64(0), uint64(0)
	for len(value) > 0 {
		d, n := binary.Uvarint(value)
		value = value[n:]
		last += d
		if last == hidden[0] || last == hidden[len(hidden)-1] {
			continue
		}
		out = binary.AppendUvarint(out, last-written)
		written = last
	}
	return out
}
