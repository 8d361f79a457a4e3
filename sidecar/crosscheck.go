package sidecar

import (
	"context"
	"fmt"
	"slices"
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

	began uint64    // the newest offset before anything could come in
	envoy *envoyRun // the one that runs; nil: none answered yet
	// former are those before it, until what they showed had time to be read.
	former []*envoyRun
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
	earliest, latest := state.started()
	if c.envoy == nil || earliest > c.envoy.latest { // another Envoy, or it was restarted
		base, err := c.before(ctx, earliest)
		if err != nil {
			return fmt.Errorf("sum up what the log has of this envoy: %w", err)
		}
		if c.envoy != nil {
			c.former = append(c.former, c.envoy)
		}
		c.envoy = &envoyRun{earliest: earliest, latest: latest, base: base}
	}
	c.envoy.say(state)
	c.compare(state.at.Add(-settleTime))
	return nil
}

// last counts what is missing of all that was said, when nothing is read any more.
func (c *crossCheck) last() {
	if c != nil && c.envoy != nil {
		c.compare(time.Now())
	}
}

// compare takes what was said until a moment.
func (c *crossCheck) compare(until time.Time) {
	for _, r := range append(c.former, c.envoy) {
		if n := r.missing(until, c.shown); n > 0 {
			c.losses.AddSince(witnessEnvoy, "envoy sent requests to the pipeline that it did not show, or that were not read in time: observe",
				time.Unix(r.earliest, 0), uint64(n))
		}
	}
	c.former = slices.DeleteFunc(c.former, func(r *envoyRun) bool { return len(r.waiting) == 0 })
	if len(c.former) > 0 {
		return
	}
	c.shown.drop(c.envoy.earliest)
	// What waits still is newer: also where Envoy did not answer for long.
	if long := until.Add(-countedApart).Unix(); long > c.envoy.earliest {
		c.shown.forget(long)
	}
}

// before sums up what the log has of this Envoy from before this process: requests,
// those left out, and Gaps. All that a later Envoy showed came to this process.
func (c *crossCheck) before(ctx context.Context, started int64) (n int64, err error) {
	if c.envoy != nil {
		return 0, nil
	}
	v, err := c.log.View()
	if err != nil {
		return 0, err
	}
	defer v.Close()
	span, err := envoysSpan(v, time.Unix(started, 0), c.began)
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
