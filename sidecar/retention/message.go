package retention

import (
	"time"

	retentionv1 "verbatim/proto/verbatim/retention/v1"
)

// Message is the preview as it is sent; keep is what it was made with.
func (p *Preview) Message(keep time.Duration) *retentionv1.Plan {
	m := &retentionv1.Plan{KeepMs: uint64(keep.Milliseconds()), FirstOffset: p.First, Held: HeldMessages(p.Held), UnderWay: p.UnderWay}
	if c := p.Through; c != nil {
		m.Cut = &retentionv1.Cut{
			CheckpointId: c.Checkpoint.GetCheckpointId(), Offset: c.Offset, Root: c.Root[:],
			Entries: p.Survey.Entries, Octets: p.Survey.Octets, Stay: p.Survey.Stay,
		}
	}
	return m
}

// HeldMessages is what holds back, as it is sent.
func HeldMessages(list []Held) []*retentionv1.Held {
	var held []*retentionv1.Held
	for _, h := range list {
		held = append(held, &retentionv1.Held{By: string(h.By), Offset: h.Offset, Text: h.Text})
	}
	return held
}

// Message is what was done as it is sent.
func (d *Done) Message() *retentionv1.Done {
	m := &retentionv1.Done{
		PruneOffset: d.Prune, FirstOffset: d.First, Entries: d.Entries, DiskBefore: d.Before, DiskAfter: d.After, WaitsFor: d.Waits,
	}
	if d.Plan != nil {
		m.Held = HeldMessages(d.Plan.Held)
	}
	return m
}
