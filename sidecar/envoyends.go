package sidecar

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"time"

	"verbatim/filter"
	logv1 "verbatim/proto/verbatim/log/v1"
)

// What may end an exchange, by Envoy's counters. Found with Envoy 1.40.0, by
// ending exchanges in every way and looking which of its counters moved.
var (
	clientEnds = counters("http."+filter.HCMStatPrefix+".", "downstream_rq_rx_reset", "downstream_cx_destroy_remote_active_rq")
	resetEnds  = counters("cluster."+filter.PipelineCluster+".", "upstream_cx_destroy_remote_with_active_rq", "upstream_rq_rx_reset", "upstream_cx_protocol_error")
	lateEnds   = counters("cluster."+filter.PipelineCluster+".", "upstream_rq_timeout", "upstream_rq_per_try_timeout", "upstream_rq_max_duration_reached")
	// otherEnds are Envoy's own doing: then nothing is certain.
	otherEnds = append(counters("http."+filter.HCMStatPrefix+".", "downstream_cx_destroy_local_active_rq", "downstream_rq_idle_timeout", "downstream_rq_max_duration_reached", "downstream_cx_protocol_error"),
		counters(filter.CounterPrefix, "streams_failed", "message_timeouts")...)
)

func counters(prefix string, names ...string) []string {
	for i, n := range names {
		names[i] = prefix + n
	}
	return names
}

const (
	// endsTimeout bounds the question how an exchange ended: its turn waits for the answer.
	endsTimeout = 250 * time.Millisecond
	// endsKept is how many looks are kept, one every statsEvery: an exchange that
	// began before all of them ends for reasons unknown.
	endsKept = 300
)

// look is what Envoy's counters were at a time.
type look struct {
	at                           time.Time
	client, reset, late, another uint64
}

// ends tells why exchanges ended, from Envoy's counters. It is safe for use by
// many goroutines.
type ends struct {
	watch *envoyWatch

	mu    sync.Mutex
	looks []look // ascending
}

// remember takes a look, so that what comes can be compared with it.
func (e *ends) remember(ctx context.Context) {
	l, ok := e.ask(ctx)
	e.mu.Lock()
	defer e.mu.Unlock()
	if !ok {
		e.looks = nil // another Envoy may answer next
		return
	}
	if len(e.looks) == endsKept {
		e.looks = append(e.looks[:0], e.looks[1:]...)
	}
	e.looks = append(e.looks, l)
}

// cause is why an exchange ended that ended just now and began at a time; UNKNOWN
// where the counters leave more than one possibility.
func (e *ends) cause(ctx context.Context, since time.Time) logv1.AbortCause {
	before, ok := e.before(since)
	if !ok {
		return logv1.AbortCause_ABORT_CAUSE_UNKNOWN
	}
	ctx, cancel := context.WithTimeout(ctx, endsTimeout)
	defer cancel()
	now, ok := e.ask(ctx)
	if !ok {
		return logv1.AbortCause_ABORT_CAUSE_UNKNOWN
	}
	return before.until(now)
}

// until compares two looks at one Envoy.
func (l look) until(now look) logv1.AbortCause {
	if now.client < l.client || now.reset < l.reset || now.late < l.late || now.another != l.another {
		return logv1.AbortCause_ABORT_CAUSE_UNKNOWN
	}
	client, reset, late := now.client > l.client, now.reset > l.reset, now.late > l.late
	switch {
	case client && !reset && !late:
		return logv1.AbortCause_ABORT_CAUSE_CLIENT_GONE
	case reset && !client && !late:
		return logv1.AbortCause_ABORT_CAUSE_PIPELINE_RESET
	case late && !client && !reset:
		return logv1.AbortCause_ABORT_CAUSE_TIMEOUT
	}
	return logv1.AbortCause_ABORT_CAUSE_UNKNOWN
}

// before is the newest look that was complete before a time.
func (e *ends) before(t time.Time) (look, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := len(e.looks) - 1; i >= 0; i-- {
		if e.looks[i].at.Before(t) {
			return e.looks[i], true
		}
	}
	return look{}, false
}

// ask reads the counters; false unless Envoy has all of them, under these names.
func (e *ends) ask(ctx context.Context) (look, bool) {
	all := append(append(append(append([]string{}, clientEnds...), resetEnds...), lateEnds...), otherEnds...)
	var stats envoyCounters
	path := "/stats?format=json&filter=" + url.QueryEscape("^("+strings.Join(all, "|")+")$")
	if err := e.watch.get(ctx, path, &stats); err != nil {
		return look{}, false
	}
	values := map[string]uint64{}
	for _, c := range stats.Stats {
		values[c.Name] = c.Value
	}
	if len(values) != len(all) {
		return look{}, false
	}
	sum := func(names []string) (n uint64) {
		for _, name := range names {
			n += values[name]
		}
		return n
	}
	return look{time.Now(), sum(clientEnds), sum(resetEnds), sum(lateEnds), sum(otherEnds)}, true
}
