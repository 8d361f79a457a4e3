package sidecar

import (
	"context"
	"fmt"
	"time"

	"verbatim/filter"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/capture"
)

// upstreamCounter counts the requests that Envoy sent to the pipeline.
const upstreamCounter = "cluster." + filter.PipelineCluster + ".upstream_rq_total"

// settleTime is how long an exchange can take from Envoy to here: behind it Envoy
// has given up what was not read.
const settleTime = filter.DeferredClose + 2*time.Second

// countedApart is how long seconds are counted apart, far more than anybody asks for.
const countedApart = 10 * time.Minute

// crossCheck compares, in profile observe, what Envoy sent to the pipeline with
// what it showed. What is missing is a lower bound at each moment, for later
// exchanges stand in for earlier ones of the same second; it gets exact when
// traffic pauses.
type crossCheck struct {
	log    *auditlog.Log
	losses *capture.Losses
	shown  *observed

	began   uint64    // the newest offset before anything could come in
	started time.Time // of Envoy
	base    int64     // exchanges that the log had before this process, of this Envoy
	told    int64     // and what is counted as lost since
	known   bool
	// restarted: Envoy is younger than this process, and all it showed came here.
	restarted bool
	waiting   []counted
}

// counted is what Envoy's counter was at a moment.
type counted struct {
	at   time.Time
	sent int64
}

// begin is called before anything can come in. There may be no cross-check.
func (c *crossCheck) begin() error {
	if c == nil {
		return nil
	}
	v, err := c.log.View()
	if err != nil {
		return fmt.Errorf("begin to compare with envoy's counters: %w", err)
	}
	defer v.Close()
	c.began = v.Tip().Offset
	return nil
}

// count takes in what Envoy says now, and counts what is missing of what it said
// a settleTime ago.
func (c *crossCheck) count(ctx context.Context, state envoyState) error {
	started := state.at.Add(-state.uptime - time.Second)
	if again := c.known && started.Sub(c.started) > 2*time.Second; again {
		// Another Envoy, or it was restarted: what the last one said is all there is.
		c.compare(state.at)
		c.known, c.restarted, c.waiting = false, true, nil
		c.shown.drop(started)
	}
	if !c.known {
		base, err := c.before(ctx, started)
		if err != nil {
			return fmt.Errorf("sum up what the log has of this envoy: %w", err)
		}
		c.base, c.started, c.told, c.known = base, started, 0, true
	}
	c.waiting = append(c.waiting, counted{state.at, int64(state.sent)})
	c.compare(state.at.Add(-settleTime))
	// What waits still is newer: also where Envoy did not answer for long.
	if long := state.at.Add(-countedApart); long.After(c.started) {
		c.shown.forget(long)
	}
	return nil
}

// compare takes what was said until a moment.
func (c *crossCheck) compare(until time.Time) {
	for len(c.waiting) > 0 && !c.waiting[0].at.After(until) {
		said := c.waiting[0]
		c.waiting = c.waiting[1:]
		missing := said.sent - c.base - c.told - c.shown.between(c.started, said.at)
		if missing <= 0 {
			continue
		}
		c.losses.AddSince(witnessEnvoy, "envoy sent requests to the pipeline that it did not show, or that were not read in time: observe",
			c.started, uint64(missing))
		c.told += missing
	}
}

// before sums up what the log has of this Envoy from before this process: requests,
// those left out, and Gaps.
func (c *crossCheck) before(ctx context.Context, started time.Time) (n int64, err error) {
	if c.restarted {
		return 0, nil
	}
	v, err := c.log.View()
	if err != nil {
		return 0, err
	}
	defer v.Close()
	span, err := envoysSpan(v, started, c.began)
	if err != nil {
		return 0, err
	}
	if n, err = span.count(ctx, v, auditlog.KindRequest); err != nil {
		return 0, err
	}
	for ev, err := range span.events(ctx, v, auditlog.KindGap, auditlog.KindCheckpoint) {
		if err != nil {
			return 0, err
		}
		n += int64(ev.GetGap().GetExchanges())
		for _, s := range ev.GetCheckpoint().GetSkipped() {
			n += int64(s.GetExchanges())
		}
	}
	return n, nil
}
