package sidecar

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"time"

	"verbatim/filter"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/capture"
)

const (
	statsEvery   = time.Second
	statsTimeout = 2 * time.Second
	statsMost    = 1 << 20 // octets of an answer that are read
	// passedCounter counts the exchanges that Envoy let pass without the sidecar.
	passedCounter = filter.CounterPrefix + "failure_mode_allowed"
)

// witnessEnvoy marks a Gap that Envoy's counters know of.
const witnessEnvoy = "envoy"

// envoyWatch turns what Envoy's counters know of unrecorded exchanges into Gap
// entries, and tells when another version of Envoy runs.
type envoyWatch struct {
	admin  string // base URL of Envoy's admin endpoint; empty: not asked
	log    *auditlog.Log
	losses *capture.Losses
	logger *slog.Logger
	client http.Client
	ends   *ends // how exchanges end; nil without Envoy's admin endpoint
	// changed records that Envoy's version is another.
	changed func(ctx context.Context, version string) error

	version string
	known   bool // last is what the log has told already
	last    uint64
	since   time.Time
	latest  int64 // the second by which the Envoy that was asked last was started

	// cross compares what was sent with what was shown; nil but in profile observe.
	cross *crossCheck
}

// envoyState is what Envoy says of itself.
type envoyState struct {
	version string
	uptime  time.Duration
	passed  uint64 // exchanges that passed without the sidecar
	sent    uint64 // requests that were sent to the pipeline
	asked   time.Time
	at      time.Time // when all of it was read: what is counted was before
}

// started is between which seconds, both inclusive, Envoy was started: it tells whole
// seconds, from a moment between the question and the answer, by the clock of this
// machine, and that one can be some milliseconds behind ours.
func (s envoyState) started() (earliest, latest int64) {
	uptime := int64(s.uptime / time.Second)
	return s.asked.Unix() - 1 - uptime, s.at.Unix() - uptime
}

// run polls until ctx ends. It blocks on Envoy's admin port, with a bound, and
// on the log.
func (w *envoyWatch) run(ctx context.Context) {
	tick := time.NewTicker(statsEvery)
	defer tick.Stop()
	for {
		w.poll(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// poll counts what is new and tells the log. Envoy that is away is no loss that
// can be known: its counters are read again when it is back.
func (w *envoyWatch) poll(ctx context.Context) {
	if w.admin != "" {
		if err := w.look(ctx); err != nil {
			w.logger.Debug("what envoy knows is not recorded yet", "err", err)
		}
		if w.ends != nil {
			w.ends.remember(ctx)
		}
	}
	if err := w.losses.Tell(ctx, w.log); err != nil {
		w.logger.Debug("gap not recorded yet", "err", err)
	}
}

func (w *envoyWatch) look(ctx context.Context) error {
	state, err := w.ask(ctx)
	if err != nil {
		return err
	}
	if state.version != w.version {
		if err := w.changed(ctx, state.version); err != nil {
			return err
		}
		w.version = state.version
	}
	return w.count(ctx, state)
}

func (w *envoyWatch) count(ctx context.Context, state envoyState) error {
	if w.cross != nil {
		return w.cross.count(ctx, state)
	}
	if !w.known {
		told, since, err := w.told(ctx, state)
		if err != nil {
			return err
		}
		w.last, w.since, w.latest, w.known = told, since, math.MaxInt64, true
	}
	earliest, latest := state.started()
	if earliest > w.latest || state.passed < w.last {
		w.last = 0 // Envoy was restarted
	}
	if state.passed > w.last {
		w.losses.AddSince(witnessEnvoy, "envoy let requests pass without the sidecar: fail open", w.since, state.passed-w.last)
	}
	w.last, w.since, w.latest = state.passed, state.asked, latest
	return nil
}

// told sums up the Gaps that this Envoy's counter stands for already: those
// since it was started. What it counted beyond them passed after the newest.
func (w *envoyWatch) told(ctx context.Context, state envoyState) (sum uint64, since time.Time, err error) {
	v, err := w.log.View()
	if err != nil {
		return 0, since, err
	}
	defer v.Close()
	earliest, _ := state.started()
	since = time.Unix(earliest, 0)
	span, err := envoysSpan(v, since, v.Tip().Offset)
	if err != nil {
		return 0, since, err
	}
	for ev, err := range span.events(ctx, v, auditlog.KindGap) {
		if err != nil {
			return 0, since, err
		}
		if ev.GetGap().GetWitness() == witnessEnvoy {
			sum += ev.GetGap().GetExchanges()
			since = time.UnixMilli(int64(ev.GetWallClockMs()))
		}
	}
	return sum, since, nil
}

// lastLook counts what passed until the sidecar took nothing any more, or, where
// Envoy is away by now, until it was asked last.
func (w *envoyWatch) lastLook(ctx context.Context) {
	if w.admin == "" {
		return
	}
	defer w.cross.last()
	state, err := w.ask(ctx)
	if err == nil {
		err = w.count(ctx, state)
	}
	if err != nil {
		w.logger.Debug("what envoy knows at the end is not recorded", "err", err)
	}
}

// envoyCounters is Envoy's page of counters.
type envoyCounters struct {
	Stats []struct {
		Name  string `json:"name"`
		Value uint64 `json:"value"`
	} `json:"stats"`
}

// ask reads Envoy's version, how long it has been running, over hot restarts, as
// its counters do, and how many exchanges it let pass.
func (w *envoyWatch) ask(ctx context.Context) (envoyState, error) {
	var info struct {
		Version string `json:"version"`
		Uptime  string `json:"uptime_all_epochs"`
	}
	var stats envoyCounters
	asked := time.Now()
	path := "/stats?format=json&filter=" + url.QueryEscape("^("+passedCounter+"|"+upstreamCounter+")$")
	if err := errors.Join(w.get(ctx, "/server_info", &info), w.get(ctx, path, &stats)); err != nil {
		return envoyState{}, err
	}
	uptime, err := time.ParseDuration(info.Uptime)
	if err != nil {
		return envoyState{}, fmt.Errorf("read envoy's uptime: %w", err)
	}
	state := envoyState{version: info.Version, uptime: uptime, asked: asked, at: time.Now()}
	for _, c := range stats.Stats {
		switch c.Name {
		case passedCounter:
			state.passed = c.Value
		case upstreamCounter:
			state.sent = c.Value
		}
	}
	return state, nil
}

func (w *envoyWatch) get(ctx context.Context, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, statsTimeout)
	defer cancel()
	b, err := filter.Ask(ctx, &w.client, w.admin, path, statsMost)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("ask envoy: read its answer: %w", err)
	}
	return nil
}
