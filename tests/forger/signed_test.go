package forger

import (
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/tests/forge"
)

// What somebody does who signs again, too, and removes what can't be made again.
var signedAnew = []forgery{
	{
		group: resigned, name: "an answer changed (121), signed by a stranger's key, which every Start names",
		by: map[rung]string{keyed: "signature-key 50", rooted: "trusted-root 402", kept: "kept-checkpoint 402", claimed: "not-anchored 50", anchored: "anchored-root 0"},
		make: func(f *forger) {
			stranger := f.key(f.t, "new")
			f.rewrite(forge.Recomputed, func(h forge.History) forge.History { return naming(lie(h, 121), stranger) })
			f.sign(stranger)
			f.drop(receipts, 0)
		},
	},
	{
		group: resigned, name: "an answer changed (331), all signed by the retired key, which every Start names",
		by: map[rung]string{keyed: "signature-retired 352", rooted: "trusted-root 402", kept: "kept-checkpoint 402", claimed: "not-anchored 50", anchored: "anchored-root 162"},
		make: func(f *forger) {
			f.rewrite(forge.Recomputed, func(h forge.History) forge.History { return naming(lie(h, 331), f.old) })
			f.sign(f.old)
			f.drop(receipts, 0)
		},
	},
	{
		group: resigned, name: "an answer changed (121), signed by the retired key, and cut off where it was retired (302)",
		by: map[rung]string{rooted: "trusted-root 402", kept: "kept-checkpoint 303", claimed: "not-anchored 50", anchored: "anchored-root 51"},
		make: func(f *forger) {
			f.rewrite(forge.Recomputed, func(h forge.History) forge.History { return naming(lie(h, 121)[:303], f.old) })
			f.sign(f.old)
			f.drop(receipts, 0)
		},
	},
	{
		group: resigned, name: "an answer changed (121), the Starts name no keys, notes removed",
		by: map[rung]string{keyed: "not-signed 50", rooted: "trusted-root 402", kept: "kept-checkpoint 402", claimed: "not-anchored 50", anchored: "anchored-root 0"},
		make: func(f *forger) {
			f.rewrite(forge.Recomputed, func(h forge.History) forge.History { return naming(lie(h, 121)) })
			f.drop(notes, 0)
			f.drop(receipts, 0)
		},
	},
	{
		group: resigned, name: "an answer changed (121), signed by who holds all keys",
		by: map[rung]string{rooted: "trusted-root 402", kept: "kept-checkpoint 402", claimed: "not-anchored 50", anchored: "anchored-root 51"},
		make: func(f *forger) {
			f.rewrite(forge.Recomputed, func(h forge.History) forge.History { return lie(h, 121) })
			f.sign(f.old, f.new)
			f.drop(receipts, 0)
		},
	},
	{
		group: resigned, name: "an answer changed (331), signed by who holds all keys, older receipts left", public: true,
		by: map[rung]string{rooted: "trusted-root 402", kept: "kept-checkpoint 402", anchored: "anchored-root 303"},
		make: func(f *forger) {
			f.rewrite(forge.Recomputed, func(h forge.History) forge.History { return lie(h, 331) })
			f.sign(f.old, f.new)
			f.drop(receipts, 7)
		},
	},
	{
		group: resigned, name: "an answer changed (431) behind all that was kept or published, signed by who holds all keys, receipts left",
		make: func(f *forger) {
			f.rewrite(forge.Recomputed, func(h forge.History) forge.History { return lie(h, 431) })
			f.sign(f.old, f.new)
		},
	},
	{
		group: resigned, name: "the end cut off behind a checkpoint (352), its notes and receipts removed",
		by: map[rung]string{rooted: "trusted-root 402", kept: "kept-checkpoint 353", anchored: "anchored-ahead 353"},
		make: func(f *forger) {
			f.check(forge.Cut(f.dir, 352))
			f.drop(notes, 8)
			f.drop(receipts, 7)
		},
	},
	{
		group: resigned, name: "the end cut off behind all that was kept or published (452), its note removed",
		make: func(f *forger) {
			f.check(forge.Cut(f.dir, 452))
			f.drop(notes, 10)
		},
	},
	{
		group: resigned, name: "the genesis exchanged (0), signed by who holds all keys",
		by: map[rung]string{rooted: "trusted-root 402", kept: "kept-checkpoint 0", claimed: "not-anchored 50", anchored: "not-anchored 0"},
		make: func(f *forger) {
			f.rewrite(forge.Recomputed, exchangeGenesis)
			f.sign(f.old, f.new)
			f.drop(receipts, 0)
		},
	},
	{
		group: resigned, name: "the genesis names a contract of the owner's own (0), where all is published, signed by who holds all keys", public: true,
		by: map[rung]string{rooted: "trusted-root 402", kept: "kept-checkpoint 402", anchored: "contract 0"},
		make: func(f *forger) {
			f.ledger.writing.Lock()
			defer f.ledger.writing.Unlock()
			where := f.ledger.where(f.deploy(f.t, f.ledger))
			f.rewrite(forge.Recomputed, func(h forge.History) forge.History {
				h[0].Event.GetGenesis().Anchor = where
				return lie(h, 121)
			})
			f.sign(f.old, f.new)
			f.drop(receipts, 0)
			f.open(f.t, f.dir)
			f.verbatim(f.t, append([]string{"anchor", "now", "--log", f.dir}, f.ledger.sending()...)...)
		},
	},
	{
		group: resigned, name: "a gap added (300) that was none, signed by who holds all keys",
		by: map[rung]string{rooted: "trusted-root 402", kept: "kept-checkpoint 402", claimed: "not-anchored 50", anchored: "anchored-root 162"},
		make: func(f *forger) {
			f.rewrite(forge.Resealed, func(h forge.History) forge.History {
				gap := &forge.Item{Event: &logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Exchanges: 9}}}}
				return append(append(append(forge.History{}, h[:300]...), gap), h[300:]...)
			})
			f.sign(f.old, f.new)
			f.drop(receipts, 0)
		},
	},
}
