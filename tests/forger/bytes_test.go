package forger

import (
	"bytes"

	"verbatim/sidecar/chain"
	"verbatim/tests/forge"
)

// What somebody does who can write to the disk and knows no format, or computes only
// some of the hashes again.
var crude = []forgery{
	{
		group: inPlace, name: "an answer changed (121)",
		by:   map[rung]string{chained: "link 121", kept: "kept-checkpoint 121", claimed: "anchored-ahead 161"},
		make: func(f *forger) { f.check(forge.FlipBit(f.dir, 121, forge.RawAt+10)) },
	},
	{
		group: inPlace, name: "an answer changed (121) where entries stand alone",
		by: map[rung]string{chained: "event-hash 121", kept: "kept-checkpoint 121", claimed: "anchored-ahead 161"},
		make: func(f *forger) {
			f.check(forge.Unpack(f.dir))
			f.check(forge.FlipBit(f.dir, 121, forge.RawAt+10))
		},
	},
	{
		group: inPlace, name: "two requests swapped (120, 122)",
		by: map[rung]string{chained: "link 120", kept: "kept-checkpoint 120", claimed: "anchored-ahead 161"},
		make: func(f *forger) {
			var a, b []byte
			get := func(to *[]byte) func([]byte) {
				return func(v []byte) { *to = bytes.Clone(v[forge.RawAt:]) }
			}
			put := func(from *[]byte) func([]byte) { return func(v []byte) { copy(v[forge.RawAt:], *from) } }
			f.check(forge.EditValue(f.dir, 120, get(&a)))
			f.check(forge.EditValue(f.dir, 122, get(&b)))
			f.check(forge.EditValue(f.dir, 120, put(&b)))
			f.check(forge.EditValue(f.dir, 122, put(&a)))
		},
	},
	{
		group: inPlace, name: "an answer removed (121)",
		by:   map[rung]string{chained: "missing 121", kept: "kept-checkpoint 121", claimed: "anchored-ahead 161"},
		make: func(f *forger) { f.check(forge.Remove(f.dir, 121)) },
	},
	{
		group: inPlace, name: "the newest entry removed (473)",
		by:   map[rung]string{chained: "missing 473"},
		make: func(f *forger) { f.check(forge.Remove(f.dir, 473)) },
	},
	{
		group: inPlace, name: "a checkpoint removed (150)",
		by:   map[rung]string{chained: "missing 150", kept: "kept-checkpoint 150", claimed: "anchored-ahead 161"},
		make: func(f *forger) { f.check(forge.Remove(f.dir, 150)) },
	},
	{
		group: inPlace, name: "two histories that agree at both ends: an answer changed (111), the links to 121 computed again, all later ones left",
		by: map[rung]string{chained: "link 121", kept: "kept-checkpoint 121", claimed: "anchored-ahead 161"},
		make: func(f *forger) {
			// The rewritten log has the new links; only these entries are taken from it.
			honest, err := forge.Values(f.dir)
			f.check(err)
			f.rewrite(forge.Stale, func(h forge.History) forge.History { return lie(h, 110+1) })
			f.check(forge.Replace(f.dir, 122, honest[122:]))
		},
	},
	{
		group: linked, name: "an answer changed (121)",
		by:   map[rung]string{sealed: "checkpoint 150", noted: "signed-root 150", keyed: "signed-root 150", rooted: "trusted-root 402", kept: "kept-checkpoint 402", claimed: "anchored-root 51", anchored: "anchored-root 51"},
		make: func(f *forger) { f.rewrite(forge.Stale, func(h forge.History) forge.History { return lie(h, 121) }) },
	},
	{
		group: linked, name: "two answers swapped (85, 86)",
		by: map[rung]string{sealed: "checkpoint 100", noted: "signed-root 100", keyed: "signed-root 100", rooted: "trusted-root 402", kept: "kept-checkpoint 402", claimed: "anchored-root 51", anchored: "anchored-root 51"},
		make: func(f *forger) {
			f.rewrite(forge.Stale, func(h forge.History) forge.History { return swap(h, 85, 86) })
		},
	},
	{
		group: linked, name: "an exchange dropped (120, 121), the rest renumbered",
		by: map[rung]string{sealed: "checkpoint 148", noted: "signed-root 148", keyed: "signed-root 148", rooted: "trusted-root 402", kept: "kept-checkpoint 402", claimed: "anchored-root 51", anchored: "anchored-root 51"},
		make: func(f *forger) {
			f.rewrite(forge.Stale, func(h forge.History) forge.History { return without(h, 120, 122) })
		},
	},
	{
		group: linked, name: "an exchange doubled (120, 121)",
		by: map[rung]string{sealed: "unsealed 150", noted: "signed-root 152", keyed: "signed-root 152", rooted: "trusted-root 402", kept: "kept-checkpoint 402", claimed: "anchored-root 51", anchored: "anchored-root 51"},
		make: func(f *forger) {
			f.rewrite(forge.Stale, func(h forge.History) forge.History { return doubled(h, 120) })
		},
	},
	{
		group: linked, name: "a checkpoint dropped (150), the rest renumbered",
		by: map[rung]string{sealed: "unsealed 150", noted: "signed-root 160", keyed: "signed-root 160", rooted: "trusted-root 402", kept: "kept-checkpoint 402", claimed: "anchored-root 51", anchored: "anchored-root 51"},
		make: func(f *forger) {
			f.rewrite(forge.Stale, func(h forge.History) forge.History { return without(h, 150, 151) })
		},
	},
	{
		group: linked, name: "a checkpoint's output root changed (150)",
		by: map[rung]string{sealed: "checkpoint 150", noted: "signed-root 150", keyed: "signed-root 150", rooted: "trusted-root 402", kept: "kept-checkpoint 402", claimed: "anchored-root 51", anchored: "anchored-root 51"},
		make: func(f *forger) {
			f.rewrite(forge.Stale, func(h forge.History) forge.History {
				none := chain.EventHash(nil)
				h[150].Event.GetCheckpoint().OutputRoot = none[:]
				return h
			})
		},
	},
}
