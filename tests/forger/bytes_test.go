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
		make: func(f *forger) { f.check(forge.FlipBit(f.dir, 121, forge.RawAt+10)) },
	},
	{
		group: inPlace, name: "an answer changed (121) where entries stand alone",
		make: func(f *forger) {
			f.check(forge.Unpack(f.dir))
			f.check(forge.FlipBit(f.dir, 121, forge.RawAt+10))
		},
	},
	{
		group: inPlace, name: "two requests swapped (120, 122)",
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
		make: func(f *forger) { f.check(forge.Remove(f.dir, 121)) },
	},
	{
		group: inPlace, name: "the newest entry removed (473)",
		make: func(f *forger) { f.check(forge.Remove(f.dir, 473)) },
	},
	{
		group: inPlace, name: "a checkpoint removed (150)",
		make: func(f *forger) { f.check(forge.Remove(f.dir, 150)) },
	},
	{
		group: inPlace, name: "two histories that agree at both ends: 110 to 121 rewritten, all later hashes left",
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
		make: func(f *forger) { f.rewrite(forge.Stale, func(h forge.History) forge.History { return lie(h, 121) }) },
	},
	{
		group: linked, name: "two answers swapped (85, 86)",
		make: func(f *forger) {
			f.rewrite(forge.Stale, func(h forge.History) forge.History { return swap(h, 85, 86) })
		},
	},
	{
		group: linked, name: "an exchange dropped (120, 121), the rest renumbered",
		make: func(f *forger) {
			f.rewrite(forge.Stale, func(h forge.History) forge.History { return without(h, 120, 122) })
		},
	},
	{
		group: linked, name: "an exchange doubled (120, 121)",
		make: func(f *forger) {
			f.rewrite(forge.Stale, func(h forge.History) forge.History { return doubled(h, 120) })
		},
	},
	{
		group: linked, name: "a checkpoint dropped (150), the rest renumbered",
		make: func(f *forger) {
			f.rewrite(forge.Stale, func(h forge.History) forge.History { return without(h, 150, 151) })
		},
	},
	{
		group: linked, name: "a checkpoint's output root changed (150)",
		make: func(f *forger) {
			f.rewrite(forge.Stale, func(h forge.History) forge.History {
				none := chain.EventHash(nil)
				h[150].Event.GetCheckpoint().OutputRoot = none[:]
				return h
			})
		},
	},
}
