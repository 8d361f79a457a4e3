package forger

import (
	"bytes"
	"slices"

	"google.golang.org/protobuf/proto"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/tests/forge"
)

// The groups of the table.
const (
	inPlace   = "Bytes changed, no hash computed again"
	linked    = "Links computed again, footers left"
	rewritten = "Everything computed again, notes and receipts left"
	resigned  = "Everything computed again, notes signed anew, receipts removed"
	beside    = "The chain left, what stands beside it changed"
	pruning   = "Forged pruning"
	honestly  = "Nothing forged"
)

func swap(h forge.History, a, b int) forge.History {
	h[a], h[b] = h[b], h[a]
	return h
}

func without(h forge.History, from, to int) forge.History { return slices.Delete(h, from, to) }

// doubled has an exchange twice: a request and, behind it, its answer.
func doubled(h forge.History, at int) forge.History {
	request := &forge.Item{Event: clone(h[at].Event)}
	answer := &forge.Item{Event: clone(h[at+1].Event), Of: request}
	return slices.Insert(h, at+2, request, answer)
}

func clone(ev *logv1.Event) *logv1.Event { return proto.CloneOf(ev) }

// exchangeGenesis has the log be another's.
func exchangeGenesis(h forge.History) forge.History {
	h[0].Event.GetGenesis().LogId = bytes.Repeat([]byte{7}, 32)
	return h
}

// What somebody does who knows the format, and leaves what stands beside the chain.
var full = []forgery{
	{
		group: rewritten, name: "an answer changed (121)",
		by: map[rung]string{noted: "signed-root 150", keyed: "signed-root 150", rooted: "trusted-root 402", kept: "kept-checkpoint 402", claimed: "anchored-root 51", anchored: "anchored-root 51"},
		make: func(f *forger) {
			f.rewrite(forge.Recomputed, func(h forge.History) forge.History { return lie(h, 121) })
		},
	},
	{
		group: rewritten, name: "two answers swapped (85, 86)",
		by: map[rung]string{noted: "signed-root 100", keyed: "signed-root 100", rooted: "trusted-root 402", kept: "kept-checkpoint 402", claimed: "anchored-root 51", anchored: "anchored-root 51"},
		make: func(f *forger) {
			f.rewrite(forge.Recomputed, func(h forge.History) forge.History { return swap(h, 85, 86) })
		},
	},
	{
		group: rewritten, name: "an exchange dropped (120, 121), the rest renumbered",
		by: map[rung]string{noted: "signed-root 150", keyed: "signed-root 150", rooted: "trusted-root 402", kept: "kept-checkpoint 402", claimed: "anchored-root 51", anchored: "anchored-root 51"},
		make: func(f *forger) {
			f.rewrite(forge.Resealed, func(h forge.History) forge.History { return without(h, 120, 122) })
		},
	},
	{
		group: rewritten, name: "an exchange doubled (120, 121)",
		by: map[rung]string{noted: "signed-root 150", keyed: "signed-root 150", rooted: "trusted-root 402", kept: "kept-checkpoint 402", claimed: "anchored-root 51", anchored: "anchored-root 51"},
		make: func(f *forger) {
			f.rewrite(forge.Resealed, func(h forge.History) forge.History { return doubled(h, 120) })
		},
	},
	{
		group: rewritten, name: "a response moved to another request: the answers of 83 and 84 exchanged",
		by: map[rung]string{noted: "signed-root 100", keyed: "signed-root 100", rooted: "trusted-root 402", kept: "kept-checkpoint 402", claimed: "anchored-root 51", anchored: "anchored-root 51"},
		make: func(f *forger) {
			f.rewrite(forge.Recomputed, func(h forge.History) forge.History {
				h[85].Of, h[86].Of = h[83], h[84]
				return h
			})
		},
	},
	{
		group: rewritten, name: "a response moved to a request that was answered (121 to 118)",
		by: map[rung]string{chained: "outcome 121", noted: "signed-root 150", keyed: "signed-root 150", rooted: "trusted-root 402", kept: "kept-checkpoint 402", claimed: "anchored-root 51", anchored: "anchored-root 51"},
		make: func(f *forger) {
			f.rewrite(forge.Recomputed, func(h forge.History) forge.History {
				h[121].Of = h[118]
				return h
			})
		},
	},
	{
		group: rewritten, name: "an abort made an answer (160)",
		by: map[rung]string{noted: "signed-root 161", keyed: "signed-root 161", rooted: "trusted-root 402", kept: "kept-checkpoint 402", claimed: "anchored-root 51", anchored: "anchored-root 51"},
		make: func(f *forger) {
			f.rewrite(forge.Recomputed, func(h forge.History) forge.History {
				out := h[158].Event.GetResponse().GetOutput()
				h[160].Event.Kind = &logv1.Event_Response{Response: &logv1.Response{Output: out}}
				return h
			})
		},
	},
	{
		group: rewritten, name: "a gap dropped (224), the rest renumbered",
		by: map[rung]string{noted: "signed-root 261", keyed: "signed-root 261", rooted: "trusted-root 402", kept: "kept-checkpoint 402", claimed: "anchored-root 162", anchored: "anchored-root 162"},
		make: func(f *forger) {
			f.rewrite(forge.Resealed, func(h forge.History) forge.History { return without(h, 224, 225) })
		},
	},
	{
		group: rewritten, name: "a full window's checkpoint dropped (150)",
		by: map[rung]string{sealed: "unsealed 150", noted: "signed-root 160", keyed: "signed-root 160", rooted: "trusted-root 402", kept: "kept-checkpoint 402", claimed: "anchored-root 51", anchored: "anchored-root 51"},
		make: func(f *forger) {
			f.rewrite(forge.Recomputed, func(h forge.History) forge.History { return without(h, 150, 151) })
		},
	},
	{
		group: rewritten, name: "a clean stop's checkpoint dropped (161)",
		by: map[rung]string{noted: "signed-root 200", keyed: "signed-root 200", rooted: "trusted-root 402", kept: "kept-checkpoint 402", claimed: "anchored-root 51", anchored: "anchored-root 51"},
		make: func(f *forger) {
			f.rewrite(forge.Resealed, func(h forge.History) forge.History { return without(h, 161, 162) })
		},
	},
	{
		group: rewritten, name: "a policy changed in a Start (162), and not its digest",
		by: map[rung]string{chained: "policy 162", noted: "signed-root 211", keyed: "signed-root 211", rooted: "trusted-root 402", kept: "kept-checkpoint 402", claimed: "anchored-root 162", anchored: "anchored-root 162"},
		make: func(f *forger) {
			f.rewrite(forge.Recomputed, func(h forge.History) forge.History {
				h[162].Event.GetStart().CapturePolicy.Text = []byte(`{}`)
				return h
			})
		},
	},
	{
		group: rewritten, name: "the clock put back (121)",
		by: map[rung]string{chained: "clock 121", noted: "signed-root 150", keyed: "signed-root 150", rooted: "trusted-root 402", kept: "kept-checkpoint 402", claimed: "anchored-root 51", anchored: "anchored-root 51"},
		make: func(f *forger) {
			f.rewrite(forge.Recomputed, func(h forge.History) forge.History {
				h[121].KeepClock = true
				h[121].Event.WallClockMs -= 3_600_000
				return h
			})
		},
	},
	{
		group: rewritten, name: "the genesis exchanged for another log's (0)",
		by:   map[rung]string{noted: "signed-root 50", keyed: "signed-root 50", rooted: "trusted-root 402", kept: "kept-checkpoint 0", claimed: "receipt 50", anchored: "not-anchored 0"},
		make: func(f *forger) { f.rewrite(forge.Recomputed, exchangeGenesis) },
	},
	{
		group: rewritten, name: "the end cut off behind a checkpoint (352)",
		by:   map[rung]string{noted: "note 353", keyed: "note 353", rooted: "trusted-root 402", kept: "kept-checkpoint 353", claimed: "anchored-ahead 402", anchored: "anchored-ahead 353"},
		make: func(f *forger) { f.check(forge.Cut(f.dir, 352)) },
	},
	{
		group: rewritten, name: "the end cut off within a window (360)",
		by:   map[rung]string{noted: "note 361", keyed: "note 361", rooted: "trusted-root 402", kept: "kept-checkpoint 361", claimed: "anchored-ahead 402", anchored: "anchored-ahead 353"},
		make: func(f *forger) { f.check(forge.Cut(f.dir, 360)) },
	},
}
