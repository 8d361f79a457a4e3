package forger

import (
	"encoding/binary"

	"google.golang.org/protobuf/proto"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/tests/forge"
)

// prune records that what is before a checkpoint goes, seals and publishes that, and
// removes it.
func (r *recorder) prune(c auditlog.CheckpointAt) {
	r.t.Helper()
	r.exchanges(10)
	r.durable()
	v, err := r.log.View()
	if err != nil {
		r.t.Fatal(err)
	}
	var hashes []byte
	policy := auditlog.PrunePolicy{Keep: 1, Clock: auditlog.PruneByCount, Cut: auditlog.PruneSealed}
	if r.s.ledger != nil {
		policy.Cut = auditlog.PruneAnchored
	}
	for e, err := range v.Entries(r.t.Context(), 0, c.Offset) {
		if err != nil {
			r.t.Fatal(err)
		}
		kind, _, err := auditlog.Peek(e.Raw)
		if err != nil {
			r.t.Fatal(err)
		}
		if h := e.Hash(); auditlog.StaysForEver(kind) {
			policy.Kept, hashes = policy.Kept+1, append(hashes, h[:]...)
		}
	}
	v.Close()
	policy.KeptHash = chain.EventHash(hashes)
	order := &logv1.Prune{LastOffset: c.Offset, Root: c.Root[:], Policy: policy.String()}
	placed, err := r.put(&logv1.Event{Kind: &logv1.Event_Prune{Prune: order}}).Wait(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	r.exchanges(5)
	r.seal(!r.unpublished)
	if err := r.log.CutSynced(r.t.Context(), placed.Offset); err != nil {
		r.t.Fatal(err)
	}
	if err := r.log.ClearCut(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	r.close()
}

// keep changes an entry that stays of a part that was pruned, or adds one.
func (f *forger) keep(offset uint64, change func(ev *logv1.Event)) {
	f.t.Helper()
	list, err := forge.Stored(f.dir, "kept")
	f.check(err)
	value, ev := make([]byte, forge.RawAt), &logv1.Event{}
	for _, r := range list {
		if binary.BigEndian.Uint64(r.Key) == offset {
			value = r.Value
		}
	}
	f.check(proto.Unmarshal(value[forge.RawAt:], ev))
	change(ev)
	raw, err := proto.Marshal(ev)
	f.check(err)
	event := chain.EventHash(raw)
	copy(value[forge.EventHashAt:], event[:])
	f.check(forge.Put(f.dir, "kept", offsetKey(offset), append(value[:forge.RawAt:forge.RawAt], raw...)))
}

func offsetKey(offset uint64) []byte { return binary.BigEndian.AppendUint64(nil, offset) }

// cutState changes what the log says of where it was cut.
func (f *forger) cutState(change func(value []byte)) {
	f.t.Helper()
	list, err := forge.Stored(f.dir, "state")
	f.check(err)
	for _, r := range list {
		if string(r.Key) == "cut" {
			change(r.Value)
			f.check(forge.Put(f.dir, "state", r.Key, r.Value))
		}
	}
}

// What is done to a log of which something was pruned, or under the pretext that it was.
var prunings = []forgery{
	{
		group: pruning, name: "a Prune entry added (440) that names another root, signed by who holds all keys",
		by: map[rung]string{pruned: "prune 440"},
		make: func(f *forger) {
			f.rewrite(forge.Resealed, func(h forge.History) forge.History {
				p := &logv1.Prune{LastOffset: 150, Root: make([]byte, chain.Size), Policy: "as agreed"}
				return append(append(append(forge.History{}, h[:440]...), &forge.Item{Event: &logv1.Event{Kind: &logv1.Event_Prune{Prune: p}}}), h[440:]...)
			})
			f.sign(f.old, f.new)
		},
	},
	{
		group: pruning, name: "a Prune entry added (440) that names no checkpoint (120), signed by who holds all keys",
		by: map[rung]string{pruned: "prune 440"},
		make: func(f *forger) {
			f.rewrite(forge.Resealed, func(h forge.History) forge.History {
				p := &forge.Item{Event: &logv1.Event{Kind: &logv1.Event_Prune{Prune: &logv1.Prune{Policy: "as agreed"}}}, Cut: h[120]}
				return append(append(append(forge.History{}, h[:440]...), p), h[440:]...)
			})
			f.sign(f.old, f.new)
		},
	},
	{
		group: pruning, name: "pruned (before 161) by an entry (495) that was not published", public: true,
		by: map[rung]string{claimed: "cut 161", anchored: "cut 161"},
		make: func(f *forger) {
			r := f.begin(f.t, f.dir, f.new)
			r.unpublished = true
			r.prune(f.of.checkpoints[3])
		},
	},
	{
		group: pruning, name: "pruned (before 161), and no Prune entry orders it", pruned: true,
		by:   map[rung]string{pruned: "cut 161"},
		make: func(f *forger) { f.cutState(func(v []byte) { v[len(v)-1]++ }) },
	},
	{
		group: pruning, name: "pruned (before 161), and said to be cut at another root", pruned: true,
		by:   map[rung]string{pruned: "cut 161", kept: "kept-checkpoint 161", claimed: "anchored-ahead 161", anchored: "cut 161"},
		make: func(f *forger) { f.cutState(func(v []byte) { v[8] ^= 1 }) },
	},
	{
		group: pruning, name: "the genesis that stays exchanged (0)", pruned: true,
		by: map[rung]string{pruned: "kept 0", noted: "signed-root 50", keyed: "signed-root 50", kept: "kept-checkpoint 0", claimed: "receipt 50", anchored: "not-anchored 0"},
		make: func(f *forger) {
			f.keep(0, func(ev *logv1.Event) { ev.GetGenesis().LogId[5] ^= 1 })
		},
	},
	{
		group: pruning, name: "the genesis that stays removed (0)", pruned: true,
		by:   map[rung]string{sealed: "checkpoint 211", pruned: "kept 0", noted: "signed-root 50", keyed: "signed-root 50", kept: "kept-checkpoint 0", claimed: "refused", anchored: "refused"},
		make: func(f *forger) { f.check(forge.Delete(f.dir, "kept", offsetKey(0))) },
	},
	{
		group: pruning, name: "a Start that stays names a stranger's key (1)", pruned: true,
		by: map[rung]string{pruned: "kept 1", noted: "signature 50", keyed: "signature 50"},
		make: func(f *forger) {
			f.keep(1, func(ev *logv1.Event) {
				ev.GetStart().CheckpointKeys = []string{f.key(f.t, "old").Public().String()}
			})
		},
	},
	{
		group: pruning, name: "a Start that stays removed (1)", pruned: true,
		by:   map[rung]string{pruned: "kept 161", noted: "signature 50", keyed: "signature 50"},
		make: func(f *forger) { f.check(forge.Delete(f.dir, "kept", offsetKey(1))) },
	},
	{
		group: pruning, name: "a Start added (77) to what stays", pruned: true,
		by: map[rung]string{pruned: "kept 77"},
		make: func(f *forger) {
			f.keep(77, func(ev *logv1.Event) {
				ev.Kind = &logv1.Event_Start{Start: &logv1.Start{BootId: "none", CheckpointKeys: []string{f.old.Public().String()}}}
			})
		},
	},
	{
		group: pruning, name: "a checkpoint that stays removed (1 at 100)", pruned: true,
		by:   map[rung]string{pruned: "kept 150", noted: "note 507", keyed: "note 507"},
		make: func(f *forger) { f.check(forge.Delete(f.dir, "kept", offsetKey(100))) },
	},
	{
		group: pruning, name: "a checkpoint that stays changed (1 at 100)", pruned: true,
		by: map[rung]string{pruned: "kept 100", noted: "signed-root 100", keyed: "signed-root 100"},
		make: func(f *forger) {
			f.keep(100, func(ev *logv1.Event) { ev.GetCheckpoint().OutputRoot[0] ^= 1 })
		},
	},
	{
		group: pruning, name: "a Merkle node changed of what was pruned", pruned: true,
		by: map[rung]string{pruned: "kept 1"},
		make: func(f *forger) {
			list, err := forge.Stored(f.dir, "tree")
			f.check(err)
			f.check(forge.Put(f.dir, "tree", list[0].Key, make([]byte, chain.Size)))
		},
	},
	{
		group: pruning, name: "the list of checkpoints has one that stays (1) elsewhere (at 50)", pruned: true,
		by: map[rung]string{stored: "stored-footer 100"},
		make: func(f *forger) {
			list, err := forge.Stored(f.dir, "checkpoints")
			f.check(err)
			f.check(forge.Put(f.dir, "checkpoints", list[1].Key, list[0].Value))
		},
	},
	{
		group: pruning, name: "a checkpoint that stays (1) taken from the list of checkpoints", pruned: true,
		by:   map[rung]string{stored: "stored-footer 100"},
		make: func(f *forger) { f.check(forge.Delete(f.dir, "checkpoints", offsetKey(1))) },
	},
	{
		group: pruning, name: "a note removed (checkpoint 1 at 100) of what was pruned", pruned: true,
		by:   map[rung]string{noted: "unsigned 100", keyed: "unsigned 100"},
		make: func(f *forger) { f.check(forge.Delete(f.dir, "records", recordKey(notes, 1))) },
	},
}

// nothing is no forgery: nobody must find one.
var nothing = []forgery{
	{group: honestly, name: "the honest log", make: func(*forger) {}},
	{group: honestly, name: "the honest log, pruned before 161", pruned: true, make: func(*forger) {}},
	{
		group: honestly, name: "the honest log, its entries alone and its indexes not built",
		make: func(f *forger) { f.check(forge.Unpack(f.dir)) },
	},
}
